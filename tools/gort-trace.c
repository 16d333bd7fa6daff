// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-trace reads execution traces, gort's and Go's: it prints them, sums them up and compares them.
// It is a program of its own and needs no part of the runtime.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/gt_cmds.h"
#include "tools/gt_diff.h"
#include "tools/gt_reader.h"

static const struct command {
	const char *name;
	int (*fn)(int, char **);
	const char *args; // what follows the name in a usage line
	const char *what; // one line
	const char *more; // further lines of the command's own help, or NULL
} commands[] = {
	{"dump", gt_cmd_dump, "TRACE", "print all events, as go tool trace -d=parsed",
		"TRACE is a file, or - for standard input.  Events come in the order in which they "
		"happened.\n"
		"A trace that breaks the rules ends in a message that names the offset and the "
		"rule.\n"},
	{"summary", gt_cmd_summary, "[-n N] [-rename RE=NAME]... TRACE",
		"sum a trace up on one screen",
		"Goroutines by name with their times, latencies, pauses, collector, heap, "
		"processors.\n"
		"-n N shows the first N names (default 12).\n"},
	{"diff", gt_cmd_diff,
		"[-v] [-sched=false] [-times=false] [-rename RE=NAME]... A B | -base BASE.json "
		"TRACE",
		"compare two traces, or a trace with a baseline",
		"Exit status 1 if they differ.  -v shows what is equal, too.  -sched=false leaves "
		"out the order in\n"
		"which goroutines start.  -rename changes names of functions: -rename "
		"'^go_(.*)$=main.$1'.\n"
		"Memory is for the largest generation and the goroutines (half a KB each), however "
		"long the traces are;\n"
		"what is compared goes to a file in $TMPDIR (/tmp), which may become as large as "
		"the "
		"traces.\n"},
	{"calibrate", gt_cmd_calibrate,
		"[-v] [-sched=false] [-rename RE=NAME]... BASE.json TRACE|BASELINE...",
		"make a baseline from several runs of a program",
		"Keys that are the same in all runs must be the same later, the others must lie in "
		"the band seen.\n"
		"A baseline among the traces stands for the runs that it was made of; -sched and "
		"-rename are for\n"
		"traces only.  BASE.json - writes to standard output.\n"},
	{"html", gt_cmd_html, "[-max N] [-rename RE=NAME]... -o PAGE A [B]",
		"write a page with the timeline of a trace, or of two side by side",
		"The page stands for itself and needs no network.  It keeps at most N stretches of "
		"time of a\n"
		"trace (default 200000): in a longer one, neighbours are merged until they fit.\n"},
	{"keys", gt_cmd_keys, "[-sched=false] [-rename RE=NAME]... TRACE",
		"print what diff compares, as JSON", NULL},
};

enum { NCOMMANDS = sizeof commands / sizeof commands[0] };

// usage prints what the program can do.
static void
usage(FILE *f) {
	fputs("usage: gort-trace COMMAND ARGUMENT...\n\ncommands:\n", f);
	for (int i = 0; i < NCOMMANDS; i++)
		fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].what);
	fputs("\ngort-trace help COMMAND says more.  Exit status: 0 clean, 1 differs, 2 error.\n",
		f);
}

static const struct command *
find(const char *name) {
	for (int i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

// usage_of prints the usage of one command.
static void
usage_of(FILE *f, const struct command *c) {
	fprintf(f, "usage: gort-trace %s %s\n", c->name, c->args);
}

int
gt_fail(const char *fmt, ...) {
	fflush(stdout);
	fputs("gort-trace: ", stderr);
	va_list ap;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return GT_FAILED;
}

int
gt_usage(const char *cmd, const char *fmt, ...) {
	fflush(stdout);
	if (fmt != NULL) {
		fprintf(stderr, "gort-trace %s: ", cmd);
		va_list ap;
		va_start(ap, fmt);
		vfprintf(stderr, fmt, ap);
		va_end(ap);
		fputc('\n', stderr);
	}
	const struct command *c = find(cmd);
	if (c != NULL)
		usage_of(stderr, c);
	else
		usage(stderr);
	return GT_FAILED;
}

int
gt_cmd_dump(int argc, char **argv) {
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] != 0)
			return gt_usage("dump", "unknown option %s", argv[i]);
	if (argc != 2)
		return gt_usage("dump", argc < 2 ? "which trace?" : "one trace at a time");
	gt_reader *r = gt_open(argv[1]);
	if (isatty(1))
		gt_progress(r, false);
	gt_event ev;
	while (gt_next(r, &ev))
		gt_print_event(stdout, &ev);
	int rc = GT_CLEAN;
	if (gt_error(r) != NULL) {
		rc = gt_fail("%s", gt_error(r));
		const char *more = strchr(gt_verdict(r), '\n');
		if (more != NULL)
			fputs(more, stderr);
	}
	gt_close(r);
	return rc;
}

// help prints the usage of the program or of a command.
static int
help(int argc, char **argv) {
	if (argc < 2) {
		usage(stdout);
		return GT_CLEAN;
	}
	const struct command *c = find(argv[1]);
	if (c == NULL)
		return gt_fail("no command %s; gort-trace help lists them", argv[1]);
	usage_of(stdout, c);
	printf("\n%s.\n", c->what);
	if (c->more != NULL)
		fputs(c->more, stdout);
	return GT_CLEAN;
}

int
main(int argc, char **argv) {
	if (argc < 2) {
		usage(stderr);
		return GT_FAILED;
	}
	const char *name = argv[1];
	int rc;
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		rc = help(argc - 1, argv + 1);
	} else {
		const struct command *c = find(name);
		if (c == NULL)
			return gt_fail("no command %s; gort-trace help lists them", name);
		static char buf[1 << 18];
		setvbuf(stdout, buf, _IOFBF, sizeof buf);
		rc = c->fn(argc - 1, argv + 1);
	}
	// What could not be written is not to pass for a short answer.
	if (ferror(stdout) || fflush(stdout) != 0)
		return gt_fail("standard output: %s", strerror(errno));
	return rc;
}
