// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Switches between the stacks of an M, for amd64.  Ports asm_amd64.s of Go 1.26.8 in part.
//
// A goroutine that is off its thread has, at gp->sched.sp, these words (savedR15 in proc.h):
//
//	r15 r14 r13 r12 rbx rbp rip
//
// so that a conservative scan from sched.sp sees the callers' pointers that were in registers.
// The frame pointer chain goes through rbp.  Going on is pop rcx; jmp rcx: the return stack
// predictor would always miss, since the call was made by another goroutine.
//
// g0 is always entered at the same rsp, m->g0sp, and nothing of it survives a switch away from it.
//
// gort_tls is read through GOTTPOFF: initial-exec, which works in a shared library too.

// Offsets; asserted in proc_g.c.
#define G_STACK_HI 8
#define G_M 24
#define G_SCHED_SP 32
#define G_SCHED_PC 40
#define G_SCHED_BP 48
#define M_G0 0
#define M_G0SP 8
#define M_GSIGNAL 16
#define TLS_G 0
#define TLS_MCACHE 8
#define CALL_FN 0
#define CALL_GPR 8
#define CALL_XMM 56

// STACK_TOP bytes below stack.hi are not part of any frame: entersyscall keeps the callee-saved
// registers there, where a scan of the stack sees them.
#define STACK_TOP 64

// Under a sanitizer that must be told of stack switches, fiber.c has the functions of these names
// and calls the ones here.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(GORT_FIBERS)
#define SWITCH(name) asm_##name
#else
#define SWITCH(name) name
#endif

#define FUNC(name)                                                                                 \
	.globl name;                                                                               \
	.hidden name;                                                                              \
	.type name, @function;                                                                     \
	.p2align 4;                                                                                \
	name:
#define END(name) .size name, .- name

// PUSH_SAVED leaves rbp pointing at the saved rbp.
#define PUSH_SAVED                                                                                 \
	pushq %rbp;                                                                                \
	.cfi_def_cfa_offset 16;                                                                    \
	.cfi_offset %rbp, -16;                                                                     \
	movq %rsp, %rbp;                                                                           \
	.cfi_def_cfa_register %rbp;                                                                \
	pushq %rbx;                                                                                \
	.cfi_offset %rbx, -24;                                                                     \
	pushq %r12;                                                                                \
	.cfi_offset %r12, -32;                                                                     \
	pushq %r13;                                                                                \
	.cfi_offset %r13, -40;                                                                     \
	pushq %r14;                                                                                \
	.cfi_offset %r14, -48;                                                                     \
	pushq %r15;                                                                                \
	.cfi_offset %r15, -56

#define POP_SAVED                                                                                  \
	popq %r15;                                                                                 \
	popq %r14;                                                                                 \
	popq %r13;                                                                                 \
	popq %r12;                                                                                 \
	popq %rbx;                                                                                 \
	popq %rbp

// LOADCALL loads the argument registers from the captured call that r10 points to.
.macro LOADCALL
	movsd CALL_XMM + 0(%r10), %xmm0
	movsd CALL_XMM + 8(%r10), %xmm1
	movsd CALL_XMM + 16(%r10), %xmm2
	movsd CALL_XMM + 24(%r10), %xmm3
	movsd CALL_XMM + 32(%r10), %xmm4
	movsd CALL_XMM + 40(%r10), %xmm5
	movsd CALL_XMM + 48(%r10), %xmm6
	movsd CALL_XMM + 56(%r10), %xmm7
	movq CALL_GPR + 0(%r10), %rdi
	movq CALL_GPR + 8(%r10), %rsi
	movq CALL_GPR + 16(%r10), %rdx
	movq CALL_GPR + 24(%r10), %rcx
	movq CALL_GPR + 32(%r10), %r8
	movq CALL_GPR + 40(%r10), %r9
	movl $8, %eax
.endm

	.text

// void mcall(void (*fn)(G *))
FUNC(SWITCH(mcall))
	.cfi_startproc
	PUSH_SAVED
	movq gort_tls@GOTTPOFF(%rip), %r8
	movq %fs:(%r8), %rax
	movq 8(%rbp), %rcx
	movq G_M(%rax), %rdx
	movq %rsp, G_SCHED_SP(%rax)
	movq %rcx, G_SCHED_PC(%rax)
	movq %rbp, G_SCHED_BP(%rax)
	movq M_G0(%rdx), %rcx
	cmpq %rcx, %rax
	je 1f
	movq %rcx, %fs:(%r8)
	movq M_G0SP(%rdx), %rsp
	movq %rdi, %rcx
	movq %rax, %rdi
	call *%rcx
	call badmcall2
	ud2
1:	andq $-16, %rsp
	call badmcall
	ud2
	.cfi_endproc
END(SWITCH(mcall))

// _Noreturn void gogo(G *gp)
FUNC(SWITCH(gogo))
	.cfi_startproc
	movq gort_tls@GOTTPOFF(%rip), %r8
	movq G_SCHED_SP(%rdi), %rsp
	.cfi_def_cfa %rsp, 56
	.cfi_offset %rip, -8
	.cfi_offset %rbp, -16
	.cfi_offset %rbx, -24
	.cfi_offset %r12, -32
	.cfi_offset %r13, -40
	.cfi_offset %r14, -48
	.cfi_offset %r15, -56
	movq %rdi, %fs:(%r8)
	popq %r15
	.cfi_def_cfa_offset 48
	.cfi_restore %r15
	popq %r14
	.cfi_def_cfa_offset 40
	.cfi_restore %r14
	popq %r13
	.cfi_def_cfa_offset 32
	.cfi_restore %r13
	popq %r12
	.cfi_def_cfa_offset 24
	.cfi_restore %r12
	popq %rbx
	.cfi_def_cfa_offset 16
	.cfi_restore %rbx
	popq %rbp
	.cfi_def_cfa_offset 8
	.cfi_restore %rbp
	popq %rcx
	.cfi_def_cfa_offset 0
	.cfi_register %rip, %rcx
	jmp *%rcx
	.cfi_endproc
END(SWITCH(gogo))

// _Noreturn void gostart(G *gp, const gort_call *call)
// enters a goroutine that has not run: on its empty stack, makes the captured call, then exits.
FUNC(SWITCH(gostart))
	.cfi_startproc
	.cfi_undefined %rip
	movq gort_tls@GOTTPOFF(%rip), %r8
	movq G_STACK_HI(%rdi), %rsp
	subq $STACK_TOP, %rsp
	movq %rdi, %fs:(%r8)
	.cfi_endproc
	// goroutine_root is the outermost frame: debuggers and tracebacks end here.
	.globl goroutine_root
	.hidden goroutine_root
	.type goroutine_root, @function
goroutine_root:
	.cfi_startproc
	.cfi_undefined %rip
	xorl %ebp, %ebp
	xorl %ebx, %ebx
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
	movq %rsi, %r10
	LOADCALL
	// From now on the registers, and not startcall, are what holds the arguments.
	movq CALL_FN(%r10), %r11
	movq $0, CALL_FN(%r10)
	call *%r11
	call goexit1
	ud2
	.cfi_endproc
	.size goroutine_root, .- goroutine_root
END(SWITCH(gostart))

// void systemstack(void (*fn)(void *), void *arg)
// While fn runs, the frame below describes the goroutine's stack through rbp, so that backtraces
// cross from g0 to it.
FUNC(SWITCH(systemstack))
	.cfi_startproc
	movq gort_tls@GOTTPOFF(%rip), %r8
	movq %fs:(%r8), %rax
	movq G_M(%rax), %rdx
	movq M_G0(%rdx), %rcx
	cmpq %rcx, %rax
	je 1f
	cmpq M_GSIGNAL(%rdx), %rax
	je 1f
	PUSH_SAVED
	movq 8(%rbp), %r9
	movq %rsp, G_SCHED_SP(%rax)
	movq %r9, G_SCHED_PC(%rax)
	movq %rbp, G_SCHED_BP(%rax)
	movq %rax, %rbx
	movq %r8, %r12
	movq %rcx, %fs:(%r8)
	movq M_G0SP(%rdx), %rsp
	movq %rdi, %rax
	movq %rsi, %rdi
	call *%rax
	movq %rbx, %fs:(%r12)
	leaq -40(%rbp), %rsp
	.cfi_def_cfa %rsp, 56
	POP_SAVED
	.cfi_def_cfa %rsp, 8
	.cfi_restore %rbp
	.cfi_restore %rbx
	.cfi_restore %r12
	.cfi_restore %r13
	.cfi_restore %r14
	.cfi_restore %r15
	ret
1:	movq %rdi, %rax
	movq %rsi, %rdi
	jmp *%rax
	.cfi_endproc
END(SWITCH(systemstack))

// void mstart_asm(M *mp, void (*fn)(void), uintptr_t newsp)
// makes the place where it is called the one at which g0 is entered, and calls fn there.  If newsp
// is not 0, that is the end of a stack to change to first.
// It returns when fn does, or when mleave_asm is called, for the thread to end.
FUNC(mstart_asm)
	.cfi_startproc
	PUSH_SAVED
	movq %rsp, %rax
	testq %rdx, %rdx
	jz 1f
	movq %rdx, %rsp
1:	andq $-16, %rsp
	subq $16, %rsp
	movq %rax, (%rsp)
	movq %rsp, M_G0SP(%rdi)
	call *%rsi
	movq (%rsp), %rsp
	POP_SAVED
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_endproc
END(mstart_asm)

// _Noreturn void mleave_asm(G *g0): mstart_asm of this M returns.
FUNC(mleave_asm)
	.cfi_startproc
	.cfi_undefined %rip
	movq gort_tls@GOTTPOFF(%rip), %r8
	movq %rdi, %fs:(%r8)
	movq G_M(%rdi), %rdx
	movq M_G0SP(%rdx), %rsp
	movq (%rsp), %rsp
	POP_SAVED
	ret
	.cfi_endproc
END(mleave_asm)

// void setg(G *gp)
FUNC(setg)
	.cfi_startproc
	movq gort_tls@GOTTPOFF(%rip), %r8
	movq %rdi, %fs:TLS_G(%r8)
	ret
	.cfi_endproc
END(setg)

// void settlsmcache(mcache *c)
FUNC(settlsmcache)
	.cfi_startproc
	movq gort_tls@GOTTPOFF(%rip), %r8
	movq %rdi, %fs:TLS_MCACHE(%r8)
	ret
	.cfi_endproc
END(settlsmcache)

// Both enter a system call: the callee-saved registers go to the top of the stack, because the
// frame that calls has no room for them and goes on to run below the published sp.
#define ENTERSYSCALL(fn)                                                                           \
	.cfi_startproc;                                                                            \
	movq gort_tls@GOTTPOFF(%rip), %r8;                                                         \
	movq %fs:(%r8), %rax;                                                                      \
	movq G_STACK_HI(%rax), %rcx;                                                               \
	movq %rbx, -8(%rcx);                                                                       \
	movq %rbp, -16(%rcx);                                                                      \
	movq %r12, -24(%rcx);                                                                      \
	movq %r13, -32(%rcx);                                                                      \
	movq %r14, -40(%rcx);                                                                      \
	movq %r15, -48(%rcx);                                                                      \
	movq (%rsp), %rdi;                                                                         \
	leaq 8(%rsp), %rsi;                                                                        \
	movq %rbp, %rdx;                                                                           \
	jmp fn;                                                                                    \
	.cfi_endproc

// void entersyscall(void)
FUNC(entersyscall)
	ENTERSYSCALL(reentersyscall)
END(entersyscall)

// void entersyscallblock(void)
FUNC(entersyscallblock)
	ENTERSYSCALL(entersyscallblock_c)
END(entersyscallblock)

// gort_capture_stub, known as gort_capture, takes the place of the function in gort_go, gort_defer: it is called with that
// function's arguments, and with a gort_call as the static chain, and only stores the registers.
	.globl gort_capture_stub
	.hidden gort_capture_stub
	.type gort_capture_stub, @function
	.p2align 4
gort_capture_stub:
	.cfi_startproc
	movq %rdi, CALL_GPR + 0(%r10)
	movq %rsi, CALL_GPR + 8(%r10)
	movq %rdx, CALL_GPR + 16(%r10)
	movq %rcx, CALL_GPR + 24(%r10)
	movq %r8, CALL_GPR + 32(%r10)
	movq %r9, CALL_GPR + 40(%r10)
	movsd %xmm0, CALL_XMM + 0(%r10)
	movsd %xmm1, CALL_XMM + 8(%r10)
	movsd %xmm2, CALL_XMM + 16(%r10)
	movsd %xmm3, CALL_XMM + 24(%r10)
	movsd %xmm4, CALL_XMM + 32(%r10)
	movsd %xmm5, CALL_XMM + 40(%r10)
	movsd %xmm6, CALL_XMM + 48(%r10)
	movsd %xmm7, CALL_XMM + 56(%r10)
	ret
	.cfi_endproc
END(gort_capture_stub)

// uint64_t call_run(const gort_call *call)
FUNC(call_run)
	.cfi_startproc
	pushq %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq %rsp, %rbp
	.cfi_def_cfa_register %rbp
	movq %rdi, %r10
	LOADCALL
	call *CALL_FN(%r10)
	popq %rbp
	.cfi_def_cfa %rsp, 8
	.cfi_restore %rbp
	ret
	.cfi_endproc
END(call_run)

	.section .note.GNU-stack, "", @progbits
