// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Types in traces.  Ports tracetype.go of Go 1.26.8.
#include "sched/trace.h"

// traceTypeTable_put returns the number of a type: that of its address.
uint64_t
traceTypeTable_put(traceTypeTable *t, const _type *typ) {
	bool added;

	if (typ == NULL)
		return 0;
	return traceMap_put(&t->tab, &typ, sizeof typ, &added);
}

// dumpTypesRec writes the types of a subtree.
static void
dumpTypesRec(traceMapNode *node, traceWriter *w) {
	const _type *typ = *(const _type *const *)node->data;
	const char *name = typ->name != NULL ? typ->name : "";
	uintptr_t n = min(strlen(name), (uintptr_t)MaxEventTrailerDataSize);

	if (traceWriter_ensure(w, (uint32_t)(1 + 1 + 5 * traceBytesPerNumber + n)))
		traceBuf_byte(w->buf, traceAllocFreeTypesBatch);
	traceBuf *b = w->buf;
	traceBuf_varint(b, node->id);
	traceBuf_varint(b, (uintptr_t)typ);
	traceBuf_varint(b, typ->size);
	traceBuf_varint(b, typ->ptrbytes);
	traceBuf_varint(b, n);
	traceBuf_stringData(b, name, n);
	for (int i = 0; i < 4; i++) {
		traceMapNode *child = atomic_Load(&node->children[i]);
		if (child != NULL)
			dumpTypesRec(child, w);
	}
}

// traceTypeTable_dump writes out all types of a generation, which is over, and empties the table.
void
traceTypeTable_dump(traceTypeTable *t, uintptr_t gen) {
	traceWriter w = unsafeTraceExpWriter(gen, NULL, AllocFree);
	traceMapNode *root = atomic_Load(&t->tab.root);

	if (root != NULL)
		dumpTypesRec(root, &w);
	traceWriter_flush(&w);
	traceMap_reset(&t->tab);
}
