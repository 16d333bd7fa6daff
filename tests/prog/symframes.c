// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Prints the source lines of addresses of this program's file, inlined frames too, as addr2line -i
// does: for tests/inline.sh.  Addresses come from stdin, in hex.
#include <stdio.h>

#include "sched/symtab.h"

extern const char __executable_start[];

int
main(int argc, char **argv) {
	static symFrame frames[64];
	unsigned long addr;
	symtabinit();
	while (scanf("%lx", &addr) == 1) {
		int n = symframes((uintptr_t)__executable_start + addr, frames, 64);
		printf("%lx", addr);
		for (int i = 0; i < n; i++)
			printf(" %s:%d", frames[i].file[0] != 0 ? frames[i].file : "?",
				frames[i].line);
		printf("\n");
	}
	return 0;
}
