// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Renaming of functions by regular expressions: see gt_rename.h.
//
// The language is that of Go's regexp as far as POSIX extended expressions reach: (?:...) and
// (?P<name>...) are groups, \d \D \s \S \w \W \b \B are known outside of brackets, \d \s \w inside,
// too.  Two things differ: of alternatives the longest match counts and not the first, and there are
// no lazy repetitions nor flags; those are refused.  Replacements are Go's: $1, ${1}, ${name}, $$.
#include "tools/gt_rename.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "tools/gt_cmds.h"

enum { MAX_GROUPS = 32 };

typedef struct renamer {
	regex_t re;
	const char *with;
	int ngroup;                  // Go's groups
	int group[MAX_GROUPS];       // number of the POSIX group
	char *groupname[MAX_GROUPS]; // "" without a name
} renamer;

static renamer *renamers;
static size_t nrenamers, caprenamers;

// translate writes Go's expression s in POSIX's language.  It returns what is wrong with it, or NULL.
static const char *
translate(renamer *r, const char *s, gt_buf *out) {
	static const char *const classes[][3] = {
		{"d", "[0-9]", "0-9"},
		{"D", "[^0-9]", NULL},
		{"s", "[\t\n\f\r ]", "\t\n\f\r "},
		{"S", "[^\t\n\f\r ]", NULL},
		{"w", "[0-9A-Za-z_]", "0-9A-Za-z_"},
		{"W", "[^0-9A-Za-z_]", NULL},
		{"b", "\\b", NULL},
		{"B", "\\B", NULL},
		{"A", "^", NULL},
		{"z", "$", NULL},
	};
	int posix = 0;
	bool bracket = false, repeated = false;
	r->ngroup = 1;
	r->group[0] = 0;
	r->groupname[0] = gt_xstrdup("");
	for (; *s != 0; s++) {
		bool rep = false;
		if (*s == '\\') {
			size_t i = 0, n = sizeof classes / sizeof classes[0];
			s++;
			while (i < n && classes[i][0][0] != *s)
				i++;
			if (i < n) {
				const char *t = classes[i][bracket ? 2 : 1];
				if (t == NULL)
					return "this escape is not known in brackets";
				gt_buf_str(out, t);
			} else if (*s == 0) {
				return "trailing backslash";
			} else if (strchr("pPQEC", *s) != NULL || (*s >= '0' && *s <= '9')) {
				return "this escape is not known";
			} else if (bracket) {
				// a backslash is an ordinary character there: -, ] and ^ cannot be said simply
				if (strchr("-]^", *s) != NULL)
					return "an escaped -, ] or ^ in brackets";
				gt_buf_add(out, s, 1);
			} else if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')) {
				return "this escape is not known";
			} else {
				gt_buf_add(out, s - 1, 2);
			}
		} else if (bracket) {
			if (s[0] == '[' && s[1] == ':') {
				const char *e = strstr(s, ":]");
				if (e == NULL)
					return "unfinished class";
				gt_buf_add(out, s, (size_t)(e + 2 - s));
				s = e + 1;
				continue;
			}
			bracket = *s != ']';
			gt_buf_add(out, s, 1);
		} else if (*s == '[') {
			size_t n = 1;
			n += s[n] == '^';
			n += s[n] == ']';
			gt_buf_add(out, s, n);
			s += n - 1;
			bracket = true;
		} else if (*s == '(') {
			const char *name = "";
			size_t n = 0;
			bool counted = true;
			posix++;
			if (s[1] == '?') {
				if (s[2] == ':') {
					counted = false;
					s += 2;
				} else if (s[2] == '<' || (s[2] == 'P' && s[3] == '<')) {
					name = s + (s[2] == 'P' ? 4 : 3);
					const char *e = strchr(name, '>');
					if (e == NULL)
						return "unfinished name of a group";
					n = (size_t)(e - name);
					s = e;
				} else {
					return "flags are not known";
				}
			}
			if (counted) {
				if (r->ngroup == MAX_GROUPS)
					return "too many groups";
				r->group[r->ngroup] = posix;
				char *copy = gt_xmalloc(n + 1);
				memcpy(copy, name, n);
				copy[n] = 0;
				r->groupname[r->ngroup++] = copy;
			}
			gt_buf_add(out, "(", 1);
		} else {
			rep = *s != 0 && strchr("*+?}", *s) != NULL;
			if (repeated && *s == '?')
				return "lazy repetitions are not known";
			gt_buf_add(out, s, 1);
		}
		repeated = rep;
	}
	return bracket ? "unfinished brackets" : NULL;
}

bool
gt_rename_add(const char *spec, gt_buf *err) {
	const char *eq = strchr(spec, '=');
	size_t n = eq == NULL ? strlen(spec) : (size_t)(eq - spec);
	char *re = gt_xstrdup(spec);
	re[n] = 0;
	renamer r = {.with = eq == NULL ? "" : eq + 1};
	gt_buf posix = {0};
	gt_buf_add(&posix, "", 0);
	const char *why = translate(&r, re, &posix);
	char msg[200];
	if (why == NULL) {
		int rc = regcomp(&r.re, posix.s, REG_EXTENDED);
		if (rc != 0) {
			regerror(rc, &r.re, msg, sizeof msg);
			why = msg;
		}
	}
	if (why != NULL)
		gt_buf_fmt(err, "regular expression \"%s\": %s", re, why);
	else
		GT_PUSH(renamers, nrenamers, caprenamers, r);
	gt_buf_free(&posix);
	free(re);
	return why == NULL;
}

// expand adds the replacement for a match.
static void
expand(const renamer *r, gt_buf *b, const char *src, const regmatch_t *m) {
	for (const char *p = r->with; *p != 0; p++) {
		if (*p != '$') {
			gt_buf_add(b, p, 1);
			continue;
		}
		if (p[1] == '$') {
			gt_buf_add(b, "$", 1);
			p++;
			continue;
		}
		bool brace = p[1] == '{';
		const char *name = p + 1 + brace, *e = name;
		while ((*e >= '0' && *e <= '9') || (*e >= 'a' && *e <= 'z') ||
			(*e >= 'A' && *e <= 'Z') || *e == '_')
			e++;
		if (e == name || (brace && *e != '}')) { // as in Go: what is no reference stays
			gt_buf_add(b, "$", 1);
			continue;
		}
		char *end, *copy = gt_xstrdup(name);
		copy[e - name] = 0;
		long k = strtol(copy, &end, 10);
		if (*end != 0) {
			for (k = 1; k < r->ngroup && strcmp(r->groupname[k], copy) != 0;)
				k++;
		}
		if (k >= 0 && k < r->ngroup && m[r->group[k]].rm_so >= 0)
			gt_buf_add(b, src + m[r->group[k]].rm_so,
				(size_t)(m[r->group[k]].rm_eo - m[r->group[k]].rm_so));
		free(copy);
		p = brace ? e : e - 1;
	}
}

// apply replaces all matches, as Regexp.ReplaceAllString does.
static void
apply(renamer *r, const char *src, gt_buf *b) {
	size_t n = strlen(src), last = 0, pos = 0;
	gt_buf_add(b, "", 0);
	while (pos <= n) {
		regmatch_t m[MAX_GROUPS * 2] = {{.rm_so = (regoff_t)pos, .rm_eo = (regoff_t)n}};
		if (r->re.re_nsub >= MAX_GROUPS * 2 ||
			regexec(&r->re, src, MAX_GROUPS * 2, m, REG_STARTEND) != 0)
			break;
		size_t so = (size_t)m[0].rm_so, eo = (size_t)m[0].rm_eo;
		gt_buf_add(b, src + last, so - last);
		if (eo > last || so == 0)
			expand(r, b, src, m);
		last = eo;
		pos = eo > pos ? eo : pos + 1;
	}
	gt_buf_add(b, src + last, n - last);
}

gt_atom
gt_rename(const char *name) {
	gt_buf cur = {0};
	for (size_t i = 0; i < nrenamers; i++) {
		gt_buf next = {0};
		apply(&renamers[i], i == 0 ? name : cur.s, &next);
		gt_buf_free(&cur);
		cur = next;
	}
	gt_atom a = gt_atom_of(nrenamers == 0 ? name : cur.s);
	gt_buf_free(&cur);
	return a;
}
