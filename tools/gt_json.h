// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// JSON as the baselines of the differ are written: a reader for any JSON text, and the strings of a
// writer whose output is that of Go's encoding/json, byte for byte.
#ifndef TOOLS_GT_JSON_H
#define TOOLS_GT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/gt_util.h"

typedef enum gt_json_type {
	GT_JSON_NULL,
	GT_JSON_BOOL,
	GT_JSON_NUMBER,
	GT_JSON_STRING,
	GT_JSON_ARRAY,
	GT_JSON_OBJECT,
} gt_json_type;

typedef struct gt_json gt_json;
struct gt_json {
	gt_json_type type;
	bool b;
	double num;
	char *str;     // GT_JSON_STRING
	size_t n;      // elements or members
	char **names;  // of the members
	gt_json *elem; // elements or values of the members
};

// gt_json_parse reads one JSON text.  It returns NULL and says where and why in err if it is none.
gt_json *gt_json_parse(const char *s, size_t n, gt_buf *err);

// gt_json_get returns the member of that name, or NULL; v may be NULL.
const gt_json *gt_json_get(const gt_json *v, const char *name);
void gt_json_free(gt_json *v);

// gt_json_string adds s in quotes to b; <, > and & are escaped as Go does.
void gt_json_string(gt_buf *b, const char *s);

#endif // TOOLS_GT_JSON_H
