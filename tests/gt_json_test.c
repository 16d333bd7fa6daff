// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// JSON: strings and numbers as Go's encoding/json writes them, and what the reader takes and refuses.
#include <criterion/criterion.h>
#include <string.h>

#include "tools/gt_hist.h"
#include "tools/gt_json.h"

static const struct {
	double x;
	const char *plain, *json;
} floats[] = {
	{0, "0", "0"},
	{1, "1", "1"},
	{-1, "-1", "-1"},
	{0.1, "0.1", "0.1"},
	{0.05, "0.05", "0.05"},
	{0.3333333333333333, "0.3333333333333333", "0.3333333333333333"},
	{1e-06, "1e-06", "0.000001"},
	{9.5e-07, "9.5e-07", "9.5e-7"},
	{1e-09, "1e-09", "1e-9"},
	{1.23456789e+08, "1.23456789e+08", "123456789"},
	{1e+20, "1e+20", "100000000000000000000"},
	{1e+21, "1e+21", "1e+21"},
	{1.5e+300, "1.5e+300", "1.5e+300"},
	{0.3052, "0.3052", "0.3052"},
	{5e-324, "5e-324", "5e-324"},
	{1.7976931348623157e+308, "1.7976931348623157e+308", "1.7976931348623157e+308"},
	{131072, "131072", "131072"},
	{2.5, "2.5", "2.5"},
	{1e+15, "1e+15", "1000000000000000"},
	{1.23456789e+08, "1.23456789e+08", "123456789"},
	{4.503599627370498e+15, "4.503599627370498e+15", "4503599627370498"},
};

Test(JSON, Floats) {
	for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) {
		gt_buf b = {0}, j = {0};
		gt_float(&b, floats[i].x, false);
		gt_float(&j, floats[i].x, true);
		cr_expect_str_eq(b.s, floats[i].plain);
		cr_expect_str_eq(j.s, floats[i].json);
		cr_expect_eq(strtod(j.s, NULL), floats[i].x);
	}
}

static const struct {
	const char *s, *json;
} strings[] = {
	{"a<b>&c", "\"a\\u003cb\\u003e\\u0026c\""},
	{"\"\\\b\f\n\r\t\x01\x7f", "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7f\""},
	{"\u00e9\u2028\u2029\U0001d11e", "\"\303\251\\u2028\\u2029\360\235\204\236\""},
	{"\xff\xc3(\xed\xa0\x80\xe2\x82", "\"\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\""},
	{"/'", "\"/'\""},
};

Test(JSON, Strings) {
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
		gt_buf b = {0}, err = {0};
		gt_json_string(&b, strings[i].s);
		cr_expect_str_eq(b.s, strings[i].json);
		gt_json *v = gt_json_parse(b.s, b.n, &err);
		cr_assert(v != NULL, "%s", b.s);
		cr_expect_eq(v->type, GT_JSON_STRING);
		if (strstr(b.s, "\\ufffd") == NULL)
			cr_expect_str_eq(v->str, strings[i].s);
		gt_json_free(v);
	}
}

static gt_json *
parse(const char *s) {
	gt_buf err = {0};
	gt_json *v = gt_json_parse(s, strlen(s), &err);
	cr_expect_eq(v == NULL, err.n > 0, "%s", s);
	gt_buf_free(&err);
	return v;
}

Test(JSON, Values) {
	gt_json *v = parse(" {\"a\": [1, -2.5e3, true, false, null, \"x\\u00e9\\ud834\\udd1e\"], "
			   "\"b\": {}, \"c\": []}\n");
	cr_assert(v != NULL);
	const gt_json *a = gt_json_get(v, "a");
	cr_assert(a != NULL && a->type == GT_JSON_ARRAY);
	cr_assert_eq(a->n, 6u);
	cr_expect_eq(a->elem[0].num, 1);
	cr_expect_eq(a->elem[1].num, -2500);
	cr_expect(a->elem[2].type == GT_JSON_BOOL && a->elem[2].b);
	cr_expect(a->elem[3].type == GT_JSON_BOOL && !a->elem[3].b);
	cr_expect_eq(a->elem[4].type, GT_JSON_NULL);
	cr_expect_str_eq(a->elem[5].str, "x\303\251\360\235\204\236");
	cr_expect_eq(gt_json_get(v, "b")->type, GT_JSON_OBJECT);
	cr_expect_eq(gt_json_get(v, "c")->n, 0u);
	cr_expect_null(gt_json_get(v, "d"));
	cr_expect_null(gt_json_get(a, "a"));
	cr_expect_null(gt_json_get(NULL, "a"));
	gt_json_free(v);
}

Test(JSON, Refused) {
	static const char *const bad[] = {"", " ", "{", "[", "[1", "[1,", "[1,]", "{\"a\"}",
		"{\"a\":}", "{a:1}", "{\"a\":1,}", "\"", "\"\\", "\"\\u12\"", "\"\\x\"", "\"\n\"",
		"tru", "nul", "01x", "-", "+1", "1 2", "{} {}", "[1}", "\"\\u\""};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect_null(parse(bad[i]), "%s", bad[i]);
}
