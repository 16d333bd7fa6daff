// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The subcommands of gort-trace and what they share.  A command gets its own name as argv[0] and
// returns the exit status of the program.  To add one, declare it here and enter it in the table of
// gort-trace.c.
#ifndef TOOLS_GT_CMDS_H
#define TOOLS_GT_CMDS_H

// Exit status.
enum {
	GT_CLEAN = 0,
	GT_DIFFERS = 1,
	GT_FAILED = 2,
};

int gt_cmd_dump(int argc, char **argv);
int gt_cmd_summary(int argc, char **argv);
int gt_cmd_diff(int argc, char **argv);
int gt_cmd_calibrate(int argc, char **argv);
int gt_cmd_html(int argc, char **argv);

// gt_usage prints a message about wrong arguments (printf style; NULL: none) and the usage of the
// command to standard error, and returns GT_FAILED.
int gt_usage(const char *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// gt_fail prints "gort-trace: " and the message to standard error, and returns GT_FAILED.
int gt_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// Memory or death: malloc, calloc, realloc and strdup that do not return without.
void *gt_xmalloc(unsigned long n);
void *gt_xcalloc(unsigned long n, unsigned long size);
void *gt_xrealloc(void *p, unsigned long n);
char *gt_xstrdup(const char *s);

#endif // TOOLS_GT_CMDS_H
