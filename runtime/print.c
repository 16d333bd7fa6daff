// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Printing to standard error, in any context.  Ports print.go and hexdump.go of Go 1.26.8, and as
// much of strconv as they need.
//
// No stdio, no malloc, no locale: these may be held up by a stopped thread.  One print is one write
// as long as it fits into the buffer, so that lines of several threads do not mix; who needs
// several prints in one piece brackets them with printlock.
//
// PORT: a format string instead of Go's print statements.  The digits of floating-point numbers come
// from long division of big integers rather than from strconv's tables; the texts are the same.
#include "runtime/print.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/utf8.h"
#include "sched/runtime2.h"
#include "sched/symtab.h"

// printBacklog is a ring of what was printed last, for the reader of a core file.  What is printed
// while the process is going down is not in it.  Protected by debuglock.
static char printBacklog[512];
static uintptr_t printBacklogIndex;

mutex debuglock;

static void
recordForPanic(const char *b, uintptr_t n) {
	printlock();
	if (atomic_Load(&panicking) == 0) {
		for (uintptr_t i = 0; i < n; i++) {
			printBacklog[printBacklogIndex++] = b[i];
			printBacklogIndex %= sizeof(printBacklog);
		}
	}
	printunlock();
}

// printlock is for several prints in one piece.  It nests.
void
printlock(void) {
	G *gp = getg();
	if (unlikely(gp == NULL || gp->m == NULL))
		return; // too early: there is one thread
	M *mp = gp->m;
	mp->locks++; // stay on this M between printlock++ and lock
	mp->printlock++;
	if (mp->printlock == 1)
		lock(&debuglock);
	mp->locks--; // debuglock keeps mp.locks up from now on
}

void
printunlock(void) {
	G *gp = getg();
	if (unlikely(gp == NULL || gp->m == NULL))
		return;
	M *mp = gp->m;
	mp->printlock--;
	if (mp->printlock == 0)
		unlock(&debuglock);
}

void
gwrite(const char *b, uintptr_t n) {
	if (n == 0)
		return;
	recordForPanic(b, n);
	G *gp = getg();
	M *mp = gp == NULL ? NULL : gp->m;
	// Whoever goes down wants to be seen.
	if (unlikely(mp != NULL && gp == mp->g0 && mp->writebuf != NULL && mp->dying == 0)) {
		n = min(n, mp->capwritebuf - mp->nwritebuf);
		memcpy(mp->writebuf + mp->nwritebuf, b, n);
		mp->nwritebuf += n;
		return;
	}
	while (n > 0) {
		int32_t k = runtime_write(2, b, (int32_t)n);
		if (k == -4) // EINTR
			continue;
		if (k <= 0)
			return;
		b += k;
		n -= (uintptr_t)k;
	}
}

// ---- formatting -------------------------------------------------------------------------------------

// A sink collects output: into a buffer of fixed size that is flushed to standard error, or into the
// caller's, where the rest is dropped.
typedef struct sink {
	char *buf;
	uintptr_t len;
	uintptr_t cap;
	bool flush;
} sink;

static void
put(sink *s, char c) {
	if (s->len == s->cap) {
		if (!s->flush)
			return;
		gwrite(s->buf, s->len);
		s->len = 0;
	}
	s->buf[s->len++] = c;
}

static void
puts_(sink *s, const char *p, uintptr_t n) {
	for (uintptr_t i = 0; i < n; i++)
		put(s, p[i]);
}

// pad writes n bytes at p in a field of width bytes.
static void
pad(sink *s, const char *p, uintptr_t n, uintptr_t width, bool left, char fill) {
	if (fill == '0' && n > 0 && *p == '-') {
		put(s, '-');
		p++;
		n--;
		if (width > 0)
			width--;
	}
	if (!left) {
		for (uintptr_t i = n; i < width; i++)
			put(s, fill);
	}
	puts_(s, p, n);
	if (left) {
		for (uintptr_t i = n; i < width; i++)
			put(s, ' ');
	}
}

// fmtuint writes v to the end of buf and returns where it starts.
static int
fmtuint(char buf[static 24], uint64_t v, unsigned base) {
	int i = 24;
	do {
		buf[--i] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0);
	return i;
}

// format is printf with what the runtime needs of it.
static void
format(sink *s, const char *fmt, va_list ap) {
	for (; *fmt != 0; fmt++) {
		if (*fmt != '%') {
			put(s, *fmt);
			continue;
		}
		fmt++;

		bool left = false;
		bool sharp = false;
		char fill = ' ';
		for (;; fmt++) {
			if (*fmt == '-')
				left = true;
			else if (*fmt == '0')
				fill = '0';
			else if (*fmt == '#')
				sharp = true;
			else
				break;
		}
		uintptr_t width = 0;
		if (*fmt == '*') {
			width = (uintptr_t)(unsigned)va_arg(ap, int);
			fmt++;
		}
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (uintptr_t)(*fmt - '0');
		uintptr_t prec = (uintptr_t)-1;
		if (*fmt == '.') {
			fmt++;
			prec = 0;
			if (*fmt == '*') {
				prec = (uintptr_t)(unsigned)va_arg(ap, int);
				fmt++;
			}
			for (; *fmt >= '0' && *fmt <= '9'; fmt++)
				prec = prec * 10 + (uintptr_t)(*fmt - '0');
		}

		int size = 0; // -2: char, -1: short, 0: int, 1: 64 bits
		for (;; fmt++) {
			if (*fmt == 'l' || *fmt == 'z' || *fmt == 'j' || *fmt == 't')
				size = 1;
			else if (*fmt == 'h')
				size--;
			else
				break;
		}

		char buf[28];
		char *digits = buf + 4; // room for a sign or 0x
		int i;
		switch (*fmt) {
		case 'd':
		case 'i': {
			int64_t v = size > 0 ? va_arg(ap, int64_t) : va_arg(ap, int);
			if (size == -1)
				v = (int16_t)v;
			else if (size == -2)
				v = (int8_t)v;
			i = fmtuint(digits, v < 0 ? -(uint64_t)v : (uint64_t)v, 10);
			if (v < 0)
				digits[--i] = '-';
			pad(s, digits + i, (uintptr_t)(24 - i), width, left, fill);
			break;
		}
		case 'u':
		case 'x': {
			uint64_t v = size > 0 ? va_arg(ap, uint64_t) : va_arg(ap, unsigned);
			if (size == -1)
				v = (uint16_t)v;
			else if (size == -2)
				v = (uint8_t)v;
			i = fmtuint(digits, v, *fmt == 'x' ? 16 : 10);
			if (sharp && *fmt == 'x') {
				digits[--i] = 'x';
				digits[--i] = '0';
			}
			pad(s, digits + i, (uintptr_t)(24 - i), width, left, fill);
			break;
		}
		case 'p':
			i = fmtuint(digits, (uint64_t)(uintptr_t)va_arg(ap, void *), 16);
			digits[--i] = 'x';
			digits[--i] = '0';
			pad(s, digits + i, (uintptr_t)(24 - i), width, left, ' ');
			break;
		case 'c':
			buf[0] = (char)va_arg(ap, int);
			pad(s, buf, 1, width, left, ' ');
			break;
		case 's': {
			const char *p = va_arg(ap, const char *);
			if (p == NULL)
				p = "(null)";
			uintptr_t n = 0;
			while (n < prec && p[n] != 0)
				n++;
			pad(s, p, n, width, left, ' ');
			break;
		}
		case '%':
			put(s, '%');
			break;
		default:
			throw("bad format of print");
		}
	}
}

void
print(const char *fmt, ...) {
	char buf[512];
	sink s = {.buf = buf, .cap = sizeof(buf), .flush = true};
	va_list ap;
	va_start(ap, fmt);
	format(&s, fmt, ap);
	va_end(ap);
	gwrite(s.buf, s.len);
}

int
snprint(char *buf, size_t n, const char *fmt, ...) {
	if (n == 0)
		return 0;
	sink s = {.buf = buf, .cap = n - 1};
	va_list ap;
	va_start(ap, fmt);
	format(&s, fmt, ap);
	va_end(ap);
	buf[s.len] = 0;
	return (int)s.len;
}

// printindented prints s with a tab after each newline, so that the text of a panic cannot be taken
// for the start of a traceback.
void
printindented(const char *s) {
	for (;;) {
		const char *nl = strchr(s, '\n');
		if (nl == NULL)
			break;
		gwrite(s, (uintptr_t)(nl - s) + 1);
		gwrite("\t", 1);
		s = nl + 1;
	}
	gwrite(s, strlen(s));
}

// ---- floating point ---------------------------------------------------------------------------------

// A bignum is a natural number below 2^1280, little end first.
enum { bigWords = 40 };
typedef struct bignum {
	uint32_t w[bigWords];
	int n; // words in use; w[n-1] != 0
} bignum;

static void
bignum_set(bignum *b, uint64_t v) {
	b->n = 0;
	for (; v != 0; v >>= 32)
		b->w[b->n++] = (uint32_t)v;
}

static void
bignum_mul(bignum *b, uint32_t m) {
	uint64_t carry = 0;
	for (int i = 0; i < b->n; i++) {
		carry += (uint64_t)b->w[i] * m;
		b->w[i] = (uint32_t)carry;
		carry >>= 32;
	}
	if (carry != 0)
		b->w[b->n++] = (uint32_t)carry;
}

static void
bignum_shl(bignum *b, int k) {
	for (; k >= 31; k -= 31)
		bignum_mul(b, 1U << 31);
	bignum_mul(b, 1U << k);
}

static void
bignum_add(bignum *a, const bignum *b) {
	uint64_t carry = 0;
	int n = a->n > b->n ? a->n : b->n;
	for (int i = 0; i < n; i++) {
		carry += (uint64_t)(i < a->n ? a->w[i] : 0) + (i < b->n ? b->w[i] : 0);
		a->w[i] = (uint32_t)carry;
		carry >>= 32;
	}
	a->n = n;
	if (carry != 0)
		a->w[a->n++] = (uint32_t)carry;
}

// bignum_sub subtracts b <= a from a.
static void
bignum_sub(bignum *a, const bignum *b) {
	int64_t borrow = 0;
	for (int i = 0; i < a->n; i++) {
		borrow += (int64_t)a->w[i] - (i < b->n ? b->w[i] : 0);
		a->w[i] = (uint32_t)borrow;
		borrow >>= 32;
	}
	while (a->n > 0 && a->w[a->n - 1] == 0)
		a->n--;
}

static int
bignum_cmp(const bignum *a, const bignum *b) {
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (int i = a->n - 1; i >= 0; i--) {
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	}
	return 0;
}

// shortest writes the shortest decimal digits that read back as mant * 2^exp, and of those the
// nearest; *dp is where the decimal point goes.  Returns the number of digits, at most 17.
// lower says that the gap to the number below is half as wide as that to the one above.
//
// It is Steele and White's: r/s is what is left, ml/s and mh/s are the half gaps to the neighbours.
static int
shortest(char digits[static 20], uint64_t mant, int exp, bool lower, int *dp) {
	static bignum r, s, ml, mh, t; // protected by printlock, too large for a signal stack
	bignum_set(&r, mant);
	bignum_set(&s, 1);
	bignum_set(&ml, 1);
	bignum_set(&mh, 1);
	bignum_shl(&r, 1 + (lower ? 1 : 0) + (exp > 0 ? exp : 0));
	bignum_shl(&s, 1 + (lower ? 1 : 0) + (exp < 0 ? -exp : 0));
	bignum_shl(&ml, exp > 0 ? exp : 0);
	bignum_shl(&mh, (exp > 0 ? exp : 0) + (lower ? 1 : 0));
	bool inclusive = mant % 2 == 0; // the edges of the interval read back as mant, too

	// Scale so that 0.1 <= (r + mh) / s < 1.
	int point = 0;
	for (;;) {
		t = r;
		bignum_add(&t, &mh);
		int c = bignum_cmp(&t, &s);
		if (c < 0 || (c == 0 && !inclusive))
			break;
		bignum_mul(&s, 10);
		point++;
	}
	for (;;) {
		t = r;
		bignum_add(&t, &mh);
		bignum_mul(&t, 10);
		int c = bignum_cmp(&t, &s);
		if (c > 0 || (c == 0 && inclusive))
			break;
		bignum_mul(&r, 10);
		bignum_mul(&ml, 10);
		bignum_mul(&mh, 10);
		point--;
	}

	int n = 0;
	for (;;) {
		bignum_mul(&r, 10);
		bignum_mul(&ml, 10);
		bignum_mul(&mh, 10);
		int d = 0;
		while (bignum_cmp(&r, &s) >= 0) {
			bignum_sub(&r, &s);
			d++;
		}
		int cl = bignum_cmp(&r, &ml);
		t = r;
		bignum_add(&t, &mh);
		int ch = bignum_cmp(&t, &s);
		bool down = cl < 0 || (cl == 0 && inclusive);
		bool up = ch > 0 || (ch == 0 && inclusive);
		if (!down && !up) {
			digits[n++] = (char)('0' + d);
			continue;
		}
		if (down && up) {
			// Both would do: the nearer; the even one of two equally near.
			t = r;
			bignum_add(&t, &r);
			int c = bignum_cmp(&t, &s);
			up = c > 0 || (c == 0 && d % 2 == 1);
		}
		digits[n++] = (char)('0' + d + (up ? 1 : 0));
		break;
	}
	// A last digit 9 rounded up carries.
	for (int i = n - 1; i >= 0 && digits[i] > '9'; i--) {
		n = i;
		if (i == 0) {
			digits[0] = '1';
			n = 1;
			point++;
			break;
		}
		digits[i - 1]++;
	}
	*dp = point;
	return n;
}

// fmtfloat writes v as strconv.AppendFloat(v, 'g', -1, 64) does and returns the length.
int
fmtfloat(char buf[static 32], double v) {
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	bool neg = bits >> 63 != 0;
	int exp = (int)(bits >> 52 & 0x7ff);
	uint64_t mant = bits & ((1UL << 52) - 1);
	int n = 0;

	if (exp == 0x7ff) {
		memcpy(buf, mant != 0 ? "NaN" : neg ? "-Inf" : "+Inf", 4);
		return mant != 0 ? 3 : 4;
	}
	if (neg)
		buf[n++] = '-';
	if (exp == 0 && mant == 0) {
		buf[n++] = '0';
		return n;
	}

	bool lower = mant == 0 && exp > 1;
	if (exp == 0)
		exp++; // denormalised
	else
		mant |= 1UL << 52;
	char digits[20];
	int dp;
	printlock(); // shortest's numbers are static
	int nd = shortest(digits, mant, exp - 1075, lower, &dp);
	printunlock();

	int e = dp - 1;
	if (e < -4 || e >= 6) {
		buf[n++] = digits[0];
		if (nd > 1) {
			buf[n++] = '.';
			for (int i = 1; i < nd; i++)
				buf[n++] = digits[i];
		}
		buf[n++] = 'e';
		buf[n++] = e < 0 ? '-' : '+';
		if (e < 0)
			e = -e;
		if (e >= 100)
			buf[n++] = (char)('0' + e / 100);
		buf[n++] = (char)('0' + e / 10 % 10);
		buf[n++] = (char)('0' + e % 10);
		return n;
	}
	if (dp <= 0) {
		buf[n++] = '0';
	} else {
		for (int i = 0; i < dp; i++)
			buf[n++] = i < nd ? digits[i] : '0';
	}
	if (nd > dp) {
		buf[n++] = '.';
		for (int i = dp; i < nd; i++)
			buf[n++] = i < 0 ? '0' : digits[i];
	}
	return n;
}

void
printquoted(const char *s) {
	printlock();
	print("\"");
	for (size_t n = strlen(s), len; n > 0; n -= len, s += len) {
		uint32_t r;
		len = decoderune(s, n, &r);
		switch (r) {
		case '\n':
			print("\\n");
			break;
		case '\r':
			print("\\r");
			break;
		case '\t':
			print("\\t");
			break;
		case '\\':
		case '"':
			print("\\%c", (int)r);
			break;
		default:
			if (r >= ' ' && r <= '~')
				print("%c", (int)r);
			else if (r < 127)
				print("\\x%02x", r);
			else if (r < 0x10000)
				print("\\u%04x", r);
			else
				print("\\U%08x", r);
		}
	}
	print("\"");
	printunlock();
}

void
printfloat(double v) {
	char buf[32];
	printlock();
	gwrite(buf, (uintptr_t)fmtfloat(buf, v));
	printunlock();
}

// ---- memory -------------------------------------------------------------------------------------------

// hexdumpWords dumps the words in [p, end), names those that are the address of a function, and
// shows the bytes as text, in Go's layout.
void
hexdumpWords(uintptr_t p, uintptr_t end) {
	enum {
		bytesPerLine = 16,
		wordBytes = PtrSize,
		dataStart = 2 * PtrSize + 2,
		dataChars = (bytesPerLine - 1) * 2 + (bytesPerLine - 1) / 4 +
			    (bytesPerLine - 1) / 8 + 2,
		asciiStart = dataStart + dataChars + 2,
		lineChars = asciiStart + bytesPerLine + 1,
	};
	// Where byte i of a line goes: "77665544 33221100  ffeeddcc bbaa9988".
	uint8_t toPos[bytesPerLine];
	for (int i = 0; i < bytesPerLine; i++) {
		int field = i ^ (wordBytes - 1);
		toPos[i] = (uint8_t)(field * 2 + field / 4 + field / 8);
	}

	static const char dig[] = "0123456789abcdef";
	char line[lineChars];
	printlock();
	memset(line, ' ', sizeof(line));
	for (int i = 0; i < bytesPerLine; i++) {
		line[dataStart + toPos[i] + 1] = dig[i];
		line[asciiStart + i] = dig[i];
	}
	line[lineChars - 1] = '\n';
	gwrite(line, lineChars);

	for (uintptr_t addr = alignDown(p, bytesPerLine); addr < end; addr += bytesPerLine) {
		memset(line, ' ', sizeof(line));
		for (int i = 0; i < 2 * PtrSize; i++)
			line[i] = dig[addr >> (4 * (2 * PtrSize - 1 - i)) & 15];
		line[2 * PtrSize] = ':';
		int n = 0;
		for (int i = 0; i < bytesPerLine && addr + (uintptr_t)i < end; i++) {
			n = i + 1;
			if (addr + (uintptr_t)i < p)
				continue;
			uint8_t b = *(const uint8_t *)(addr + (uintptr_t)i);
			line[dataStart + toPos[i]] = dig[b >> 4];
			line[dataStart + toPos[i] + 1] = dig[b & 15];
			line[asciiStart + i] = b >= ' ' && b <= '~' ? (char)b : '.';
		}
		line[asciiStart + n] = '\n';
		gwrite(line, (uintptr_t)(asciiStart + n) + 1);

		for (int i = 0; i + wordBytes <= n; i += wordBytes) {
			if (addr + (uintptr_t)i < p)
				continue;
			uintptr_t val = *(const uintptr_t *)(addr + (uintptr_t)i);
			funcInfo f = findfunc(val);
			if (!funcInfo_valid(f))
				continue;
			char name[256];
			funcname(f, name, sizeof(name));
			int caret = dataStart + toPos[i + wordBytes - 1];
			print("%*s^ <%s+%#lx>\n", caret, "", name, val - f.entry);
		}
	}
	printunlock();
}
