// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-replay answers the oracle's command language with gort's own code, so that it can be
// compared with Go's runtime, byte for byte.  It is goracle (tools/oracle) written again.
//
//	grep -v '^=' VECTORS | gort-replay	every command, then "= answer"
//	gort-replay check FILE...		replay vector files, report differences
//	gort-replay prove DIR			the same for every file below DIR, with a progress bar
//	gort-replay mem SCRIPT			allocation script: span classes, offsets, statistics
//	gort-replay sched [NAME]		scheduling experiments
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "runtime/runtime.h"

#include "runtime/mheap.h"
#include "tools/replay.h"

static const struct family {
	const char *names; // families, separated by spaces
	bool (*exec)(const char *, struct replay_args *, struct replay_out *);
} families[] = {
	{"rnd th", replay_base},
	{"pb pd bit sum pc ar scd pa si", replay_pageheap},
	{"sz ms hb gt", replay_malloc},
	{"gc lim pi sg sv", replay_gc},
	{"rq", replay_sched},
	{"tm", replay_time},
};

// Families and commands that a later part of gort answers.  Their vectors are counted apart.
static const char *const later[] = {"th.", "gt.scan", "gt.expand", "sq."};

static bool
is_later(const char *cmd) {
	for (size_t i = 0; i < nelem(later); i++)
		if (strncmp(cmd, later[i], strlen(later[i])) == 0)
			return true;
	return false;
}

static bool
has_word(const char *words, const char *w, size_t n) {
	for (const char *p = words; *p != 0;) {
		size_t k = strcspn(p, " ");
		if (k == n && memcmp(p, w, n) == 0)
			return true;
		p += k;
		p += *p == ' ';
	}
	return false;
}

// exec answers one command line, which it cuts into words.
static void
exec(char *line, struct replay_out *o) {
	static char *words[1 << 16];
	int n = 0;
	for (char *save, *w = strtok_r(line, " \t", &save); w != NULL && n < (int)nelem(words);
		w = strtok_r(NULL, " \t", &save))
		words[n++] = w;
	o->n = 0;
	o_raw(o, "");
	if (n == 0)
		return;
	struct replay_args a = {words + 1, n - 1, 0, ""};
	const char *cmd = words[0];
	bool ok = false;
	for (size_t i = 0; i < nelem(families); i++)
		if (has_word(families[i].names, cmd, strcspn(cmd, "."))) {
			ok = families[i].exec(cmd, &a, o);
			break;
		}
	if (!ok || a.error[0] != 0 || a_more(&a)) {
		o->n = 0;
		o_raw(o, !ok               ? "unknown command "
			 : a.error[0] != 0 ? a.error
					   : "too many arguments for ");
		if (!ok || a.error[0] == 0)
			o_raw(o, cmd);
	} else if (o->n == 0) {
		o_raw(o, "ok");
	}
}

struct tally {
	uint64_t right;
	uint64_t wrong;
	uint64_t later;
};

// getline_gz reads a line of any length without its newline; NULL at the end.
static char *
getline_gz(gzFile f, char **buf, size_t *cap) {
	size_t n = 0;
	for (;;) {
		if (*cap - n < 4096) {
			*cap = *cap * 2 + 8192;
			*buf = realloc(*buf, *cap);
			if (*buf == NULL) {
				fputs("gort-replay: out of memory\n", stderr);
				exit(1);
			}
		}
		if (gzgets(f, *buf + n, (int)(*cap - n)) == NULL)
			return n > 0 ? *buf : NULL;
		n += strlen(*buf + n);
		if (n > 0 && (*buf)[n - 1] == '\n') {
			(*buf)[n - 1] = 0;
			return *buf;
		}
	}
}

// check replays a vector file: a command line, then a line "= answer".  Differences are printed,
// at most ten a file.  false: the file cannot be read or is not of that form.
static bool
check(const char *file, struct tally *t) {
	gzFile f = gzopen(file, "r");
	if (f == NULL) {
		fprintf(stderr, "gort-replay: %s: %s\n", file,
			errno != 0 ? strerror(errno) : "cannot open");
		return false;
	}
	char *buf = NULL, *cmd = NULL, *copy = NULL, *l;
	size_t cap = 0;
	uint64_t lineno = 0, wrong = 0;
	bool ok = true;
	struct replay_out o = {0};
	while ((l = getline_gz(f, &buf, &cap)) != NULL) {
		lineno++;
		if (l[0] == '#' || l[0] == 0)
			continue;
		if (l[0] != '=') {
			if (cmd != NULL) {
				fprintf(stderr,
					"gort-replay: %s:%llu: a command without an answer before "
					"this line\n",
					file, (unsigned long long)lineno);
				ok = false;
			}
			free(cmd);
			cmd = strdup(l);
			continue;
		}
		if (cmd == NULL || (l[1] != ' ' && l[1] != 0)) {
			fprintf(stderr,
				"gort-replay: %s:%llu: \"%.40s\" is not an answer to a command\n",
				file, (unsigned long long)lineno, l);
			ok = false;
			continue;
		}
		const char *want = l[1] == 0 ? "" : l + 2;
		if (is_later(cmd)) {
			t->later++;
		} else {
			copy = strdup(cmd);
			exec(cmd, &o);
			if (strcmp(o.b, want) == 0) {
				t->right++;
			} else {
				t->wrong++;
				if (wrong++ < 10)
					printf("%s:%llu: %s\n  Go   %s\n  gort %s\n", file,
						(unsigned long long)lineno, copy, want, o.b);
			}
			free(copy);
		}
		free(cmd);
		cmd = NULL;
	}
	if (cmd != NULL) {
		fprintf(stderr,
			"gort-replay: %s: the last command has no answer: the file is cut short\n",
			file);
		ok = false;
	}
	int err;
	const char *msg = gzerror(f, &err);
	if (err != Z_OK && err != Z_STREAM_END) {
		fprintf(stderr, "gort-replay: %s: %s\n", file,
			err == Z_ERRNO ? strerror(errno) : msg);
		ok = false;
	}
	gzclose(f);
	free(cmd);
	free(buf);
	free(o.b);
	return ok;
}

static char **files;
static size_t nfiles, capfiles;
static uint64_t totalbytes;

static int
by_name(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

// find collects the vector files (.txt, .txt.gz) below dir.
static bool
find(const char *dir) {
	DIR *d = opendir(dir);
	if (d == NULL) {
		fprintf(stderr, "gort-replay: %s: %s\n", dir, strerror(errno));
		return false;
	}
	bool ok = true;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		char *path;
		struct stat st;
		if (asprintf(&path, "%s/%s", dir, e->d_name) < 0 || stat(path, &st) != 0)
			continue;
		size_t n = strlen(path);
		if (S_ISDIR(st.st_mode)) {
			ok &= strcmp(e->d_name, "sched") == 0 || strcmp(e->d_name, "mem") == 0 ||
			      find(path);
			free(path);
		} else if ((n > 4 && strcmp(path + n - 4, ".txt") == 0) ||
			   (n > 7 && strcmp(path + n - 7, ".txt.gz") == 0)) {
			if (nfiles == capfiles) {
				capfiles = capfiles * 2 + 64;
				files = realloc(files, capfiles * sizeof files[0]);
			}
			files[nfiles++] = path;
			totalbytes += (uint64_t)st.st_size;
		} else {
			free(path);
		}
	}
	closedir(d);
	return ok;
}

// commas writes v with commas between thousands.
static const char *
commas(uint64_t v, char *buf) {
	char t[32];
	int n = snprintf(t, sizeof t, "%llu", (unsigned long long)v), k = 0;
	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			buf[k++] = ',';
		buf[k++] = t[i];
	}
	buf[k] = 0;
	return buf;
}

static int
verdict(const struct tally *t, bool ok) {
	char a[40], b[40], c[40];
	uint64_t all = t->right + t->wrong;
	printf("%s of %s answers equal Go 1.26.8", commas(t->right, a), commas(all, b));
	if (t->later > 0)
		printf(" (%s more are of parts to come: sq gt.scan gt.expand)",
			commas(t->later, c));
	printf("\n");
	return !ok || t->wrong > 0 || t->right == 0;
}

static int
prove(int argc, char **argv) {
	bool ok = true, bar = isatty(1);
	for (int i = 0; i < argc; i++)
		ok &= find(argv[i]);
	qsort(files, nfiles, sizeof files[0], by_name); // malloc memory, not the collector's
	struct tally t = {0};
	uint64_t done = 0;
	for (size_t i = 0; i < nfiles; i++) {
		struct stat st;
		if (bar) {
			int w = totalbytes > 0 ? (int)(done * 40 / totalbytes) : 40;
			printf("\r\033[K[%.*s%*s] %s", w,
				"========================================", 40 - w, "",
				strrchr(files[i], '/') + 1);
			fflush(stdout);
		}
		ok &= check(files[i], &t);
		if (stat(files[i], &st) == 0)
			done += (uint64_t)st.st_size;
	}
	if (bar)
		printf("\r\033[K");
	return verdict(&t, ok);
}

static const char usage[] =
	"usage: gort-replay                  commands on standard input, answers on standard "
	"output\n"
	"       gort-replay check FILE...    replay vector files and report differences\n"
	"       gort-replay prove DIR...     replay every vector file below DIR\n"
	"       gort-replay mem SCRIPT       run an allocation script\n"
	"       gort-replay sched [NAME]     run the scheduling experiments\n";

static int
app(int argc, char **argv) {
	if (argc >= 2 && strcmp(argv[1], "mem") == 0)
		return replay_mem(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "sched") == 0)
		return replay_schedexp(argc - 1, argv + 1);
	gort_set_gc_percent(-1);
	if (argc >= 3 && strcmp(argv[1], "prove") == 0)
		return prove(argc - 2, argv + 2);
	if (argc >= 3 && strcmp(argv[1], "check") == 0) {
		struct tally t = {0};
		bool ok = true;
		for (int i = 2; i < argc; i++)
			ok &= check(argv[i], &t);
		return verdict(&t, ok);
	}
	char *line = NULL;
	size_t cap = 0;
	struct replay_out o = {0};
	for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		puts(line);
		if (line[0] == 0 || line[0] == '#' || line[0] == '=')
			continue;
		exec(line, &o);
		printf("= %s\n", o.b);
	}
	if (ferror(stdin)) {
		perror("gort-replay: standard input");
		return 1;
	}
	return fflush(stdout) != 0;
}

int
main(int argc, char **argv) {
	bool known = argc == 1;
	if (argc >= 2) {
		known |= (strcmp(argv[1], "check") == 0 || strcmp(argv[1], "prove") == 0) &&
			 argc >= 3;
		known |= strcmp(argv[1], "mem") == 0 && argc >= 3;
		known |= strcmp(argv[1], "sched") == 0 && argc <= 3;
		if (strcmp(argv[1], "--help") == 0) {
			fputs(usage, stdout);
			return 0;
		}
	}
	if (!known) {
		fprintf(stderr, "gort-replay: unknown command \"%s\"\n%s", argv[1], usage);
		return 2;
	}
	// Addresses are a part of the answers: the heap starts at 0xc000000000.
	randomizedHeapBase = false;
	if (argc >= 2 && (strcmp(argv[1], "mem") == 0 || strcmp(argv[1], "sched") == 0))
		setenv("GOMAXPROCS", "1", 1);
	return gort_run(app, argc, argv);
}
