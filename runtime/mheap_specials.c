// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Specials, and the memory of mark and allocation bitmaps.
//
// Ports the part of mheap.go of Go 1.26.8 from special on.
//
// A special is a record attached to an object: on a list of its span, sorted by offset and kind.
// Bitmaps are carved out of blocks of 64 KB that live for two cycles: the marks of this cycle are
// the next one's allocation bits, and no span needs the block before that.
#include "runtime/mheap.h"

#include "runtime/mgcsweep.h"
#include "runtime/mprof.h"
#include "runtime/mstats.h"

// spanHasSpecials notes in the arena's bitmap that s has some.
void
spanHasSpecials(mspan *s) {
	uintptr_t pageIdx;
	uint8_t mask;
	heapArena *ha = pageIndexOf(mspan_base(s), &pageIdx, &mask);
	atomic_Or(&ha->pageSpecials[pageIdx], mask);
}

// spanHasNoSpecials notes that it has none.
void
spanHasNoSpecials(mspan *s) {
	uintptr_t pageIdx;
	uint8_t mask;
	heapArena *ha = pageIndexOf(mspan_base(s), &pageIdx, &mask);
	atomic_And(&ha->pageSpecials[pageIdx], (uint8_t)~mask);
}

// addspecial attaches s to the object at p.
bool
addspecial(void *p, special *s, bool force) {
	mspan *span = spanOfHeap((uintptr_t)p);
	if (span == NULL)
		throw("addspecial on invalid pointer");

	// Sweeping reads the list without the lock, so have it over; no new cycle meanwhile.
	M *mp = acquirem();
	mspan_ensureSwept(span);

	uintptr_t offset = (uintptr_t)p - mspan_base(span);
	lock(&span->speciallock);
	bool exists;
	special **iter = mspan_specialFindSplicePoint(span, offset, s->kind, &exists);
	if (!exists || force) {
		s->offset = offset;
		s->next = *iter;
		*iter = s;
		spanHasSpecials(span);
	}
	unlock(&span->speciallock);
	releasem(mp);
	return !exists || force;
}

// removespecial detaches the special of that kind from the object at p.
special *
removespecial(void *p, uint8_t kind) {
	mspan *span = spanOfHeap((uintptr_t)p);
	if (span == NULL)
		throw("removespecial on invalid pointer");

	M *mp = acquirem(); // as in addspecial
	mspan_ensureSwept(span);

	uintptr_t offset = (uintptr_t)p - mspan_base(span);
	special *result = NULL;
	lock(&span->speciallock);
	bool exists;
	special **iter = mspan_specialFindSplicePoint(span, offset, kind, &exists);
	if (exists) {
		result = *iter;
		*iter = result->next;
	}
	if (span->specials == NULL)
		spanHasNoSpecials(span);
	unlock(&span->speciallock);
	releasem(mp);
	return result;
}

// specialFindSplicePoint returns the link at which a special of that offset and kind is (*found) or
// belongs.  span->speciallock must be held.
special **
mspan_specialFindSplicePoint(mspan *span, uintptr_t offset, uint8_t kind, bool *found) {
	special **iter = &span->specials;
	*found = false;
	for (special *s; (s = *iter) != NULL; iter = &s->next) {
		if (offset == s->offset && kind == s->kind) {
			*found = true;
			break;
		}
		if (offset < s->offset || (offset == s->offset && kind < s->kind))
			break;
	}
	return iter;
}

// setprofilebucket: see mheap.h.
void
setprofilebucket(void *p, bucket *b) {
	lock(&mheap_.speciallock);
	specialprofile *s = fixalloc_alloc(&mheap_.specialprofilealloc);
	unlock(&mheap_.speciallock);
	s->special.kind = _KindSpecialProfile;
	s->b = b;
	if (!addspecial(p, &s->special, false))
		throw("setprofilebucket: profile already set");
}

// newSpecialsIter starts at the first special of span.
specialsIter
newSpecialsIter(mspan *span) {
	return (specialsIter){&span->specials, span->specials};
}

// valid reports whether i->s is one, and not the end.
bool
specialsIter_valid(const specialsIter *i) {
	return i->s != NULL;
}

// next moves on.
void
specialsIter_next(specialsIter *i) {
	i->pprev = &i->s->next;
	i->s = *i->pprev;
}

// unlinkAndNext takes the current one off the list, moves on and returns it.
special *
specialsIter_unlinkAndNext(specialsIter *i) {
	special *cur = i->s;
	i->s = cur->next;
	*i->pprev = i->s;
	return cur;
}

// freeSpecial does what s is for and frees it.  p is what it was attached to, inside a dying object
// of size bytes.
void
freeSpecial(special *s, void *p, uintptr_t size) {
	switch (s->kind) {
	case _KindSpecialProfile:
		mProf_Free(((specialprofile *)s)->b, size);
		lock(&mheap_.speciallock);
		fixalloc_free(&mheap_.specialprofilealloc, s);
		unlock(&mheap_.speciallock);
		break;
	case _KindSpecialReachable:
		// Whoever made it frees it.
		((specialReachable *)s)->done = true;
		break;
	default:
		throw("bad special kind");
	}
}

struct gcBitsArenas_t gcBitsArenas;

_Static_assert(sizeof(gcBitsArena) == 64 << 10, "gcBitsArena fills its chunk");
_Static_assert(offsetof(gcBitsArena, bits) == 16 && offsetof(gcBitsArena, bits) % 8 == 0,
	"bitmaps are 8-byte aligned");

// tryAlloc takes bytes from b; NULL if b is NULL or has no room.  Needs no lock.
static gcBits *
gcBitsArena_tryAlloc(gcBitsArena *b, uintptr_t bytes) {
	if (b == NULL || atomic_Load(&b->free) + bytes > nelem(b->bits))
		return NULL;
	uintptr_t end = atomic_Xadd(&b->free, bytes);
	if (end > nelem(b->bits))
		return NULL;
	return &b->bits[end - bytes];
}

// newArenaMayUnlock returns a cleared block.  gcBitsArenas.lock must be held; it may be released
// meanwhile.
static gcBitsArena *
newArenaMayUnlock(void) {
	gcBitsArena *result;
	if (gcBitsArenas.free == NULL) {
		unlock(&gcBitsArenas.lock);
		result = sysAlloc(gcBitsChunkBytes, &memstats.gcMiscSys, "gc bits");
		if (result == NULL)
			throw("runtime: cannot allocate memory");
		lock(&gcBitsArenas.lock);
	} else {
		result = gcBitsArenas.free;
		gcBitsArenas.free = result->next;
		memclrNoHeapPointers(result, gcBitsChunkBytes);
	}
	result->next = NULL;
	result->free = 0;
	return result;
}

// newMarkBits returns a cleared bitmap for nelems objects, for the next cycle's marks.
gcBits *
newMarkBits(uintptr_t nelems) {
	uintptr_t bytesNeeded = (nelems + 63) / 64 * 8;

	gcBits *p = gcBitsArena_tryAlloc(atomic_Load(&gcBitsArenas.next), bytesNeeded);
	if (p != NULL)
		return p;

	// A new block may be needed.
	lock(&gcBitsArenas.lock);
	p = gcBitsArena_tryAlloc(gcBitsArenas.next, bytesNeeded);
	if (p != NULL) {
		unlock(&gcBitsArenas.lock);
		return p;
	}
	gcBitsArena *fresh = newArenaMayUnlock();
	// Somebody may have added one while the lock was not held.
	p = gcBitsArena_tryAlloc(gcBitsArenas.next, bytesNeeded);
	if (p != NULL) {
		fresh->next = gcBitsArenas.free;
		gcBitsArenas.free = fresh;
		unlock(&gcBitsArenas.lock);
		return p;
	}
	p = gcBitsArena_tryAlloc(fresh, bytesNeeded);
	if (p == NULL)
		throw("markBits overflow");
	fresh->next = gcBitsArenas.next;
	atomic_Store(&gcBitsArenas.next, fresh);
	unlock(&gcBitsArenas.lock);
	return p;
}

// newAllocBits returns allocation bits for a new span.  Later on, mark bits become allocation bits.
gcBits *
newAllocBits(uintptr_t nelems) {
	return newMarkBits(nelems);
}

// nextMarkBitArenaEpoch begins a new cycle, when all spans are swept: each has mark bits in next by
// now, and allocation bits in current, so that nobody needs previous any more.
void
nextMarkBitArenaEpoch(void) {
	lock(&gcBitsArenas.lock);
	if (gcBitsArenas.previous != NULL) {
		gcBitsArena *last = gcBitsArenas.previous;
		while (last->next != NULL)
			last = last->next;
		last->next = gcBitsArenas.free;
		gcBitsArenas.free = gcBitsArenas.previous;
	}
	gcBitsArenas.previous = gcBitsArenas.current;
	gcBitsArenas.current = gcBitsArenas.next;
	atomic_Store(&gcBitsArenas.next, NULL); // newMarkBits makes one when it needs it
	unlock(&gcBitsArenas.lock);
}
