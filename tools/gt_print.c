// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Events as text, byte for byte what Go prints: Event.String of internal/trace/event.go and the String
// methods of resources.go and value.go of Go 1.26.8, with fmt's %q and time's RFC3339Nano.
#include <string.h>
#include <time.h>

#include "runtime/utf8.h"
#include "tools/gt_impl.h"
#include "tools/gt_isprint.h"

// ---- names

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

const char *
gt_kind_name(gt_kind k) {
	static const char *const names[] = {"Bad", "Sync", "Metric", "Label", "StackSample",
		"RangeBegin", "RangeActive", "RangeEnd", "TaskBegin", "TaskEnd", "RegionBegin",
		"RegionEnd", "Log", "StateTransition", "Experimental"};
	return k < COUNT(names) ? names[k] : names[0];
}

const char *
gt_go_state(int state) {
	static const char *const names[] = {
		"Undetermined", "NotExist", "Runnable", "Running", "Waiting", "Syscall"};
	return (unsigned)state < COUNT(names) ? names[state] : "Bad";
}

const char *
gt_proc_state(int state) {
	static const char *const names[] = {"Undetermined", "NotExist", "Running", "Idle"};
	return (unsigned)state < COUNT(names) ? names[state] : "Bad";
}

const char *
gt_resource_kind_name(gt_resource_kind k) {
	static const char *const names[] = {"None", "Goroutine", "Proc", "Thread"};
	return k < COUNT(names) ? names[k] : "Bad";
}

// ---- parts

static void
unsigned_number(gt_buf *b, uint64_t v) {
	char s[20], *p = s + sizeof s;
	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	gt_buf_add(b, p, (size_t)(s + sizeof s - p));
}

static void
number(gt_buf *b, int64_t v) {
	if (v < 0)
		gt_buf_add(b, "-", 1);
	unsigned_number(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

static void
hex(gt_buf *b, uint64_t v, int mindigits) {
	char s[16], *p = s + sizeof s;
	do
		*--p = "0123456789abcdef"[v & 15];
	while ((v >>= 4) != 0 || s + sizeof s - p < mindigits);
	gt_buf_add(b, p, (size_t)(s + sizeof s - p));
}

// key adds " KEY=" and a number.
static void
key(gt_buf *b, const char *k, int64_t v) {
	gt_buf_str(b, k);
	number(b, v);
}

static void
ukey(gt_buf *b, const char *k, uint64_t v) {
	gt_buf_str(b, k);
	unsigned_number(b, v);
}

static bool
is_print(uint32_t r) {
	if (r < 0x80)
		return r >= ' ' && r < 0x7f;
	size_t lo = 0, hi = COUNT(gt_isprint);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (r > gt_isprint[mid].hi)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < COUNT(gt_isprint) && r >= gt_isprint[lo].lo;
}

void
gt_quote(gt_buf *b, const gt_str *str) {
	static const char escapes[] = "\aa\bb\ff\nn\rr\tt\vv";
	gt_buf_add(b, "\"", 1);
	const char *s = str->s;
	for (size_t i = 0, len; i < str->len; i += len) {
		uint32_t r;
		len = decoderune(s + i, str->len - i, &r);
		const char *e;
		if (r == runeError && len == 1) {
			gt_buf_add(b, "\\x", 2);
			hex(b, (unsigned char)s[i], 2);
		} else if (r == '"' || r == '\\') {
			gt_buf_add(b, "\\", 1);
			gt_buf_add(b, s + i, 1);
		} else if (is_print(r)) {
			gt_buf_add(b, s + i, len);
		} else if (r != 0 && r < ' ' && (e = strchr(escapes, (int)r)) != NULL) {
			gt_buf_add(b, "\\", 1);
			gt_buf_add(b, e + 1, 1);
		} else if (r < ' ' || r == 0x7f) {
			gt_buf_add(b, "\\x", 2);
			hex(b, r, 2);
		} else {
			gt_buf_add(b, r < 0x10000 ? "\\u" : "\\U", 2);
			hex(b, r, r < 0x10000 ? 4 : 8);
		}
	}
	gt_buf_add(b, "\"", 1);
}

// quoted adds k and the string in quotes.
static void
quoted(gt_buf *b, const char *k, const gt_str *str) {
	gt_buf_str(b, k);
	gt_quote(b, str);
}

static void
resource(gt_buf *b, const char *k, gt_resource r) {
	gt_buf_str(b, k);
	gt_buf_str(b, gt_resource_kind_name(r.kind));
	if (r.kind != GT_RES_NONE) {
		key(b, "(", r.id);
		gt_buf_add(b, ")", 1);
	}
}

static void
frames(gt_buf *b, const char *title, const gt_stack *st) {
	if (st == NULL)
		return;
	gt_buf_str(b, title);
	for (size_t i = 0; i < st->n; i++) {
		const gt_frame *f = &st->frames[i];
		gt_buf_add(b, "\t", 1);
		gt_buf_add(b, f->func->s, f->func->len);
		gt_buf_add(b, " @ 0x", 5);
		hex(b, f->pc, 1);
		gt_buf_add(b, "\n\t\t", 3);
		gt_buf_add(b, f->file->s, f->file->len);
		ukey(b, ":", f->line);
		gt_buf_add(b, "\n", 1);
	}
}

// padded adds a number of at least two digits.
static void
padded(gt_buf *b, int64_t v) {
	if (v < 10)
		gt_buf_add(b, "0", 1);
	number(b, v);
}

// wall_time adds a wall clock time as RFC3339Nano, in the local time zone.  The calendar is computed
// here, since libc's ends where years do not fit an int.
static void
wall_time(gt_buf *b, int64_t sec, int64_t nsec) {
	enum { DAY = 24 * 60 * 60 };
	if (nsec < 0 || nsec >= 1000000000) {
		sec = (int64_t)((uint64_t)sec + (uint64_t)(nsec / 1000000000));
		nsec %= 1000000000;
		if (nsec < 0) {
			nsec += 1000000000;
			sec--;
		}
	}
	struct tm tm;
	time_t t = (time_t)sec;
	int64_t zone = localtime_r(&t, &tm) == NULL ? 0 : tm.tm_gmtoff;
	// Days since the 1st of March of a year long ago, from which Go counts, too: a multiple of 400,
	// and no time before it can be told from one far in the future.
	const uint64_t eras = 730692556, days_to_1970 = eras * 146097 + 719468;
	uint64_t abs = (uint64_t)sec + (uint64_t)zone + days_to_1970 * DAY;
	uint64_t days = abs / DAY, rest = abs % DAY;
	uint64_t doe = days % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153;
	uint64_t month = mp < 10 ? mp + 3 : mp - 9;
	int64_t year = (int64_t)(yoe + (days / 146097 - eras) * 400 + (month <= 2));
	if (year < 0)
		gt_buf_add(b, "-", 1);
	year = year < 0 ? -year : year;
	for (int64_t p = 1000; p > 1 && year < p; p /= 10)
		gt_buf_add(b, "0", 1);
	number(b, year);
	gt_buf_add(b, "-", 1);
	padded(b, (int64_t)month);
	gt_buf_add(b, "-", 1);
	padded(b, (int64_t)(doy - (153 * mp + 2) / 5 + 1));
	gt_buf_add(b, "T", 1);
	padded(b, (int64_t)rest / 3600);
	gt_buf_add(b, ":", 1);
	padded(b, (int64_t)rest / 60 % 60);
	gt_buf_add(b, ":", 1);
	padded(b, (int64_t)rest % 60);
	if (nsec != 0) {
		char s[10] = ".";
		for (int i = 9; i > 0; i--, nsec /= 10)
			s[i] = (char)('0' + nsec % 10);
		size_t n = sizeof s;
		while (s[n - 1] == '0')
			n--;
		gt_buf_add(b, s, n);
	}
	if (zone == 0) {
		gt_buf_add(b, "Z", 1);
		return;
	}
	gt_buf_add(b, zone < 0 ? "-" : "+", 1);
	zone = (zone < 0 ? -zone : zone) / 60;
	padded(b, zone / 60);
	gt_buf_add(b, ":", 1);
	padded(b, zone % 60);
}

// ---- events

void
gt_event_text(gt_buf *b, const gt_event *ev) {
	key(b, "M=", ev->thread);
	key(b, " P=", ev->proc);
	key(b, " G=", ev->goroutine);
	gt_buf_add(b, " ", 1);
	gt_buf_str(b, gt_kind_name(ev->kind));
	key(b, " Time=", ev->time);
	switch (ev->kind) {
	case GT_METRIC:
		quoted(b, " Name=", ev->metric.name);
		ukey(b, " Value=Value{Uint64(", ev->metric.value);
		gt_buf_str(b, ")}");
		break;
	case GT_LABEL:
		quoted(b, " Label=", ev->label.label);
		resource(b, " Resource=", ev->label.resource);
		break;
	case GT_RANGE_BEGIN:
	case GT_RANGE_ACTIVE:
	case GT_RANGE_END:
		quoted(b, " Name=", ev->range.name);
		resource(b, " Scope=", ev->range.scope);
		if (ev->kind == GT_RANGE_END && ev->range.has_attrs) {
			ukey(b, " Attributes=[\"bytes swept\"=Value{Uint64(", ev->range.swept);
			ukey(b, ")} \"bytes reclaimed\"=Value{Uint64(", ev->range.reclaimed);
			gt_buf_str(b, ")}]");
		} else if (ev->kind == GT_RANGE_END) {
			gt_buf_str(b, " Attributes=[]");
		}
		break;
	case GT_TASK_BEGIN:
	case GT_TASK_END:
		ukey(b, " ID=", ev->task.id);
		ukey(b, " Parent=", ev->task.parent);
		quoted(b, " Type=", ev->task.type);
		break;
	case GT_REGION_BEGIN:
	case GT_REGION_END:
		ukey(b, " Task=", ev->region.task);
		quoted(b, " Type=", ev->region.type);
		break;
	case GT_LOG:
		ukey(b, " Task=", ev->log.task);
		quoted(b, " Category=", ev->log.category);
		quoted(b, " Message=", ev->log.message);
		break;
	case GT_STATE_TRANSITION: {
		const gt_transition *t = &ev->transition;
		bool g = t->resource.kind == GT_RES_GOROUTINE;
		key(b, g ? " GoID=" : " ProcID=", t->resource.id);
		gt_buf_add(b, " ", 1);
		gt_buf_str(b, g ? gt_go_state(t->from) : gt_proc_state(t->from));
		gt_buf_add(b, "->", 2);
		gt_buf_str(b, g ? gt_go_state(t->to) : gt_proc_state(t->to));
		quoted(b, " Reason=", t->reason);
		frames(b, "\nTransitionStack=\n", t->stack);
		break;
	}
	case GT_EXPERIMENTAL:
		gt_buf_str(b, " Name=");
		gt_buf_str(b, ev->experimental.name);
		gt_buf_str(b, " Args=[");
		for (int i = 0; i < ev->experimental.nargs; i++) {
			if (i != 0)
				gt_buf_add(b, ", ", 2);
			gt_buf_str(b, ev->experimental.argname[i]);
			ukey(b, "=Value{Uint64(", ev->experimental.arg[i]);
			gt_buf_str(b, ")}");
		}
		gt_buf_str(b, "]");
		break;
	case GT_SYNC:
		key(b, " N=", ev->sync.n);
		if (ev->sync.has_clock) {
			key(b, " Trace=", ev->sync.clock_trace);
			ukey(b, " Mono=", ev->sync.clock_mono);
			gt_buf_str(b, " Wall=");
			wall_time(b, (int64_t)ev->sync.clock_sec, (int64_t)ev->sync.clock_nsec);
		}
		break;
	case GT_STACK_SAMPLE:
	case GT_BAD:
		break;
	}
	frames(b, "\nStack=\n", ev->stack);
}

void
gt_print_event(FILE *f, const gt_event *ev) {
	static _Thread_local gt_buf b;
	b.n = 0;
	gt_event_text(&b, ev);
	gt_buf_add(&b, "\n", 1);
	fwrite(b.s, 1, b.n, f);
}
