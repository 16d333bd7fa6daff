// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Names of functions, source lines and inlined calls, from the ELF symbol tables and DWARF.  Takes the place of symtab.go; see symtab.c.
#ifndef GORT_SCHED_SYMTAB_H
#define GORT_SCHED_SYMTAB_H

#include "runtime/runtime.h"

// funcInfo is a function: what findfunc finds.
typedef struct funcInfo {
	uintptr_t entry; // 0: not found
	uintptr_t size;
	const char *name; // the ELF name, not Go's
	int object;       // of symtab's list
} funcInfo;

// symtabinit lists the loaded objects and maps the symbols of the program.  At start-up.
void symtabinit(void);
// symtab_addobject makes the object that contains addr known: dlopen.
void symtab_addobject(uintptr_t addr);

// findfunc finds the function of pc: no locks, no memory, any context.
funcInfo findfunc(uintptr_t pc);
static inline bool
funcInfo_valid(funcInfo f) {
	return f.entry != 0;
}

// funcname writes Go's name of f into buf and returns its length: main.f for the program's
// functions, runtime.gopark for the runtime's, libc.read for those of other libraries.
int funcname(funcInfo f, char *buf, int n);
// funcnameFromPC is the same for the function around pc; "" and 0 if there is none.
int funcnameFromPC(uintptr_t pc, char *buf, int n);
// funcline finds the source line of pc in the DWARF line table of its object.  *file is in buf.
// false: not known.  Any context.
bool funcline(uintptr_t pc, char *buf, int n, int *line);
// funcsend is where the last function ends, in the object that contains pc, whose ELF name begins with
// prefix; 0: there is none.
uintptr_t funcsend(uintptr_t pc, const char *prefix);
// objectcfi is the call frame information of the object that contains pc, NULL if none.
const uint8_t *objectcfi(uintptr_t pc);
// objectname is the path of the object that contains pc, "" if none.
const char *objectname(uintptr_t pc);

// symFrame is one frame of a pc: several if functions were inlined there.
typedef struct symFrame {
	uintptr_t
		pc; // the given one in the innermost frame, one that names the inlined call in others
	uintptr_t entry; // of the function that was not inlined
	int line;        // 0: not known
	bool inlined;
	char func[256]; // Go's name
	char file[512]; // "": not known
} symFrame;

// symframes expands pc (inside the call instruction) into its frames, innermost first, and returns
// their number; 0: pc is in no known function.  The pcs of inlined frames are those of no others.
// Any context; no memory, no lock.
int symframes(uintptr_t pc, symFrame *out, int nout);
// symframe is for small stacks: it stores the kth of these frames; false: there is none.
bool symframe(uintptr_t pc, int k, symFrame *out);

// symMapping is the text of the program or a shared object.
typedef struct symMapping {
	uintptr_t start; // [start, limit) in memory
	uintptr_t limit;
	uintptr_t offset; // of start in the file
	const char *file;
	const uint8_t *buildid; // NULL: none
	int nbuildid;
} symMapping;

// symobjects lists at most nout of the objects that are known (symtab_addobject(0) makes all known)
// and returns their number.  The program is the first.  Any context.
int symobjects(symMapping *out, int nout);
// objectbuildid returns the build id of the object that contains pc, n bytes; NULL if there is none.
const uint8_t *objectbuildid(uintptr_t pc, int *n);

// isRuntimePC reports whether pc is in the runtime's own text.
bool isRuntimePC(uintptr_t pc);
// runtimetext returns the bounds of the runtime's text.
void runtimetext(uintptr_t *lo, uintptr_t *hi);

#endif
