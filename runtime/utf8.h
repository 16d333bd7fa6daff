// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// UTF-8, of the runtime and of the tools.  Ports decoderune of utf8.go of Go 1.26.8.
#ifndef GORT_RUNTIME_UTF8_H
#define GORT_RUNTIME_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { runeError = 0xfffd };

// decoderune decodes the first character of the n > 0 bytes at s and returns its length.  What is none
// counts as runeError of one byte; the character U+FFFD itself has three.
static inline size_t
decoderune(const char *s, size_t n, uint32_t *r) {
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; // by length
	const uint8_t *p = (const uint8_t *)s;
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc0 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf8 ? 4
				   : 0;
	*r = runeError;
	if (len == 0 || len > n)
		return 1;
	uint32_t c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 1;
	*r = c;
	return len;
}

#endif
