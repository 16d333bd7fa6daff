// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// asyncPreempt.  Ports preempt_amd64.s of Go 1.26.8.
//
// The signal handler made it look as if the interrupted code had called asyncPreempt, from below
// its red zone: [rsp] is the interrupted pc, rsp + 8 + 128 the interrupted rsp.  Everything that
// code may hold is saved on its stack, where a scan sees it; asyncPreempt2 switches to another
// goroutine; later everything is as it was.
//
// What the prototypes taught: XSAVE, unlike FSAVE, leaves the x87 stack occupied, and the next
// goroutine of the thread would overflow it, hence fninit.  The direction flag may be set (std; rep
// movs), mxcsr may be anything, and dirty upper halves of vector registers slow down SSE code.

	.text
	.globl	asyncPreempt
	.hidden	asyncPreempt
	.type	asyncPreempt,@function
asyncPreempt:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 136
	.cfi_offset %rip, -136
	pushq	%rbp
	.cfi_def_cfa_offset 144
	.cfi_offset %rbp, -144
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	pushfq
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	.cfi_offset %rax, -160
	.cfi_offset %rcx, -168
	.cfi_offset %rdx, -176
	.cfi_offset %rsi, -184
	.cfi_offset %rdi, -192
	.cfi_offset %r8, -200
	.cfi_offset %r9, -208
	.cfi_offset %r10, -216
	.cfi_offset %r11, -224
	cld
	subq	preempt_xsave_size(%rip), %rsp
	andq	$-64, %rsp
	// xrstor wants a header whose unused words are zero.
	xorl	%eax, %eax
	movq	%rax, 512(%rsp)
	movq	%rax, 520(%rsp)
	movq	%rax, 528(%rsp)
	movq	%rax, 536(%rsp)
	movq	%rax, 544(%rsp)
	movq	%rax, 552(%rsp)
	movq	%rax, 560(%rsp)
	movq	%rax, 568(%rsp)
	movl	preempt_xsave_mask(%rip), %eax
	movl	4+preempt_xsave_mask(%rip), %edx
	xsavec	(%rsp)
	testb	$1, 512(%rsp)
	jz	1f
	fninit
1:	ldmxcsr	preempt_mxcsr(%rip)
	vzeroupper
	call	asyncPreempt2
	movl	preempt_xsave_mask(%rip), %eax
	movl	4+preempt_xsave_mask(%rip), %edx
	xrstor	(%rsp)
	leaq	-80(%rbp), %rsp
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	popfq
	popq	%rbp
	.cfi_def_cfa %rsp, 136
	ret	$128
	.cfi_endproc
	.size	asyncPreempt,.-asyncPreempt

	.section	.rodata
	.balign	4
preempt_mxcsr:
	.long	0x1f80

	.section	.note.GNU-stack,"",@progbits
