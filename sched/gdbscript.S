// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The script for gdb, in a section that gdb looks for in programs and libraries.  It is not loaded
// into memory, and strip removes it.

	// A Python script as text: its name (no spaces), a newline, the text.
	.section .debug_gdb_scripts,"MS",@progbits,1
	.byte 4
	.ascii "gort-runtime-gdb.py\n"
	.incbin "runtime/runtime-gdb.py"
	.byte 0
	.section .note.GNU-stack,"",@progbits
