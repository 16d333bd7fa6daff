// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// scrub, for tests that look for objects which nothing points to any more.
#ifndef GORT_TESTS_SUPPORT_SCRUB_H
#define GORT_TESTS_SUPPORT_SCRUB_H

#include <string.h>

// scrub overwrites the unused stack and the registers.
static __attribute__((noinline)) void
scrub(void) {
	char b[8192];
	memset(b, 0, sizeof b);
	__asm__ volatile("" : : "r"(b) : "memory");
	// Registers that nobody uses keep what they had, too.
	__asm__ volatile(
		"pxor %%xmm0, %%xmm0\n pxor %%xmm1, %%xmm1\n pxor %%xmm2, %%xmm2\n"
		"pxor %%xmm3, %%xmm3\n pxor %%xmm4, %%xmm4\n pxor %%xmm5, %%xmm5\n"
		"pxor %%xmm6, %%xmm6\n pxor %%xmm7, %%xmm7\n pxor %%xmm8, %%xmm8\n"
		"pxor %%xmm9, %%xmm9\n pxor %%xmm10, %%xmm10\n pxor %%xmm11, %%xmm11\n"
		"pxor %%xmm12, %%xmm12\n pxor %%xmm13, %%xmm13\n pxor %%xmm14, %%xmm14\n"
		"pxor %%xmm15, %%xmm15\n"
		"xor %%ecx, %%ecx\n xor %%edx, %%edx\n xor %%esi, %%esi\n xor %%edi, %%edi\n"
		"xor %%r8d, %%r8d\n xor %%r9d, %%r9d\n xor %%r10d, %%r10d\n xor %%r11d, %%r11d"
		:
		:
		: "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2",
		"xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
		"xmm13", "xmm14", "xmm15", "cc");
}

#endif
