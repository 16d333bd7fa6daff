// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The runtime's own memmove, memset, memcmp.  Takes the place of memmove_amd64.s and memclr_amd64.s
// of Go 1.26.8.
//
// Two reasons.  Code that is stopped in here is known to be the runtime's, while in libc's it would
// pass for the user's.  And an 8-byte aligned word that is copied between 8-byte aligned places is
// read and written by single accesses of 8 bytes or more: the collector and other goroutines may
// read it meanwhile and must find the old or the new pointer.  So small sizes overlap moves of
// their two ends, which write the same bytes twice but no half words, and long ones use rep movsq
// and stosq, never movsb.
//
// memcpy is memmove.  All are hidden: the program keeps libc's.  The runtime_ names are for the test.

#define FUNC(name)                                                                                 \
	.globl name;                                                                               \
	.hidden name;                                                                              \
	.type name, @function;                                                                     \
	.p2align 4;                                                                                \
name:
#define END(name) .size name, .- name

// From so many bytes on the string instructions are faster than a loop.
#define REP_MIN 2048

	.text

// void *memmove(void *dst, const void *src, size_t n)
	.globl memcpy
	.hidden memcpy
	.type memcpy, @function
FUNC(runtime_memmove)
FUNC(memmove)
memcpy:
	.cfi_startproc
	movq %rdi, %rax
	cmpq $16, %rdx
	ja 2f
	cmpl $8, %edx
	jae 8f
	cmpl $4, %edx
	jae 4f
	testl %edx, %edx
	je 1f
	movzbl (%rsi), %ecx // 1 to 3 bytes: the first, the middle, the last
	movzbl -1(%rsi,%rdx), %r8d
	movl %edx, %r10d
	shrl $1, %r10d
	movzbl (%rsi,%r10), %r9d
	movb %r9b, (%rdi,%r10)
	movb %r8b, -1(%rdi,%rdx)
	movb %cl, (%rdi)
1:	ret
4:	movl (%rsi), %ecx
	movl -4(%rsi,%rdx), %r8d
	movl %ecx, (%rdi)
	movl %r8d, -4(%rdi,%rdx)
	ret
8:	movq (%rsi), %rcx
	movq -8(%rsi,%rdx), %r8
	movq %rcx, (%rdi)
	movq %r8, -8(%rdi,%rdx)
	ret
2:	cmpq $32, %rdx
	ja 3f
	movups (%rsi), %xmm0
	movups -16(%rsi,%rdx), %xmm1
	movups %xmm0, (%rdi)
	movups %xmm1, -16(%rdi,%rdx)
	ret
3:	cmpq $64, %rdx
	ja 5f
	movups (%rsi), %xmm0
	movups 16(%rsi), %xmm1
	movups -32(%rsi,%rdx), %xmm2
	movups -16(%rsi,%rdx), %xmm3
	movups %xmm0, (%rdi)
	movups %xmm1, 16(%rdi)
	movups %xmm2, -32(%rdi,%rdx)
	movups %xmm3, -16(%rdi,%rdx)
	ret
5:	cmpq $128, %rdx
	ja 6f
	movups (%rsi), %xmm0
	movups 16(%rsi), %xmm1
	movups 32(%rsi), %xmm2
	movups 48(%rsi), %xmm3
	movups -64(%rsi,%rdx), %xmm4
	movups -48(%rsi,%rdx), %xmm5
	movups -32(%rsi,%rdx), %xmm6
	movups -16(%rsi,%rdx), %xmm7
	movups %xmm0, (%rdi)
	movups %xmm1, 16(%rdi)
	movups %xmm2, 32(%rdi)
	movups %xmm3, 48(%rdi)
	movups %xmm4, -64(%rdi,%rdx)
	movups %xmm5, -48(%rdi,%rdx)
	movups %xmm6, -32(%rdi,%rdx)
	movups %xmm7, -16(%rdi,%rdx)
	ret

	// More than 128 bytes.  Backwards if dst lies in (src, src + n).
6:	movq %rdi, %rcx
	subq %rsi, %rcx
	je 1b
	cmpq %rdx, %rcx
	jb 7f
	cmpq $REP_MIN, %rdx
	jae 9f

	// Forwards, 64 bytes a turn; the last 64 are loaded first and stored last.
	movups -64(%rsi,%rdx), %xmm4
	movups -48(%rsi,%rdx), %xmm5
	movups -32(%rsi,%rdx), %xmm6
	movups -16(%rsi,%rdx), %xmm7
	leaq -64(%rdi,%rdx), %r8
	.p2align 4
1:	movups (%rsi), %xmm0
	movups 16(%rsi), %xmm1
	movups 32(%rsi), %xmm2
	movups 48(%rsi), %xmm3
	movups %xmm0, (%rdi)
	movups %xmm1, 16(%rdi)
	movups %xmm2, 32(%rdi)
	movups %xmm3, 48(%rdi)
	addq $64, %rsi
	addq $64, %rdi
	cmpq %r8, %rdi
	jb 1b
	movups %xmm4, (%r8)
	movups %xmm5, 16(%r8)
	movups %xmm6, 32(%r8)
	movups %xmm7, 48(%r8)
	ret

	// Forwards, long.
9:	movq -8(%rsi,%rdx), %r8
	leaq -8(%rdi,%rdx), %r9
	movq %rdx, %rcx
	shrq $3, %rcx
	rep movsq
	movq %r8, (%r9)
	ret

	// Backwards; the first 64 bytes are loaded first and stored last.
7:	movups (%rsi), %xmm4
	movups 16(%rsi), %xmm5
	movups 32(%rsi), %xmm6
	movups 48(%rsi), %xmm7
	addq %rdx, %rsi
	addq %rdx, %rdi
	leaq 64(%rax), %r8
	.p2align 4
1:	movups -16(%rsi), %xmm0
	movups -32(%rsi), %xmm1
	movups -48(%rsi), %xmm2
	movups -64(%rsi), %xmm3
	movups %xmm0, -16(%rdi)
	movups %xmm1, -32(%rdi)
	movups %xmm2, -48(%rdi)
	movups %xmm3, -64(%rdi)
	subq $64, %rsi
	subq $64, %rdi
	cmpq %r8, %rdi
	ja 1b
	movups %xmm4, (%rax)
	movups %xmm5, 16(%rax)
	movups %xmm6, 32(%rax)
	movups %xmm7, 48(%rax)
	ret
	.cfi_endproc
END(memmove)
END(runtime_memmove)
END(memcpy)

// void memclrNoHeapPointers(void *p, uintptr_t n)
FUNC(memclrNoHeapPointers)
	.cfi_startproc
	movq %rsi, %rdx
	pxor %xmm0, %xmm0
	xorl %r8d, %r8d
	jmp 2f
	.cfi_endproc
END(memclrNoHeapPointers)

// void *memset(void *p, int c, size_t n)
FUNC(runtime_memset)
FUNC(memset)
	.cfi_startproc
	movzbl %sil, %esi
	movabsq $0x0101010101010101, %r8
	imulq %rsi, %r8
	movq %r8, %xmm0
	punpcklqdq %xmm0, %xmm0
2:	movq %rdi, %rax
	cmpq $16, %rdx
	ja 3f
	cmpl $8, %edx
	jae 8f
	cmpl $4, %edx
	jae 4f
	testl %edx, %edx
	je 1f
	movb %r8b, (%rdi)
	movb %r8b, -1(%rdi,%rdx)
	shrl $1, %edx
	movb %r8b, (%rdi,%rdx)
1:	ret
4:	movl %r8d, (%rdi)
	movl %r8d, -4(%rdi,%rdx)
	ret
8:	movq %r8, (%rdi)
	movq %r8, -8(%rdi,%rdx)
	ret
3:	cmpq $32, %rdx
	ja 5f
	movups %xmm0, (%rdi)
	movups %xmm0, -16(%rdi,%rdx)
	ret
5:	cmpq $64, %rdx
	ja 6f
	movups %xmm0, (%rdi)
	movups %xmm0, 16(%rdi)
	movups %xmm0, -32(%rdi,%rdx)
	movups %xmm0, -16(%rdi,%rdx)
	ret
6:	cmpq $REP_MIN, %rdx
	jae 9f
	leaq -64(%rdi,%rdx), %rcx
	.p2align 4
7:	movups %xmm0, (%rdi)
	movups %xmm0, 16(%rdi)
	movups %xmm0, 32(%rdi)
	movups %xmm0, 48(%rdi)
	addq $64, %rdi
	cmpq %rcx, %rdi
	jb 7b
	movups %xmm0, (%rcx)
	movups %xmm0, 16(%rcx)
	movups %xmm0, 32(%rcx)
	movups %xmm0, 48(%rcx)
	ret
9:	movq %rax, %rsi
	movq %r8, %rax
	movq %r8, -8(%rdi,%rdx)
	movq %rdx, %rcx
	shrq $3, %rcx
	rep stosq
	movq %rsi, %rax
	ret
	.cfi_endproc
END(memset)
END(runtime_memset)

// int memcmp(const void *a, const void *b, size_t n)
FUNC(runtime_memcmp)
FUNC(memcmp)
	.cfi_startproc
	xorl %ecx, %ecx
1:	leaq 16(%rcx), %r8
	cmpq %rdx, %r8
	ja 3f
	movups (%rdi,%rcx), %xmm0
	movups (%rsi,%rcx), %xmm1
	pcmpeqb %xmm1, %xmm0
	pmovmskb %xmm0, %eax
	xorl $0xffff, %eax
	jne 2f
	movq %r8, %rcx
	jmp 1b
2:	bsfl %eax, %eax
	addq %rax, %rcx
	movzbl (%rdi,%rcx), %eax
	movzbl (%rsi,%rcx), %edx
	subl %edx, %eax
	ret
3:	cmpq %rdx, %rcx
	jae 4f
	movzbl (%rdi,%rcx), %eax
	movzbl (%rsi,%rcx), %r8d
	incq %rcx
	subl %r8d, %eax
	je 3b
	ret
4:	xorl %eax, %eax
	ret
	.cfi_endproc
END(memcmp)
END(runtime_memcmp)

	.section .note.GNU-stack, "", @progbits
