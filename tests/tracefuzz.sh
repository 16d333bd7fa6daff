#!/bin/sh
# The trace reader takes any bytes: a short run of tests/trace/fuzz under AddressSanitizer and
# UndefinedBehaviorSanitizer.  FUZZ_INPUTS and FUZZ_SEED choose a longer one or another.
: "${srcdir:=.}" "${CC:=cc}" "${FUZZ_INPUTS:=30000}" "${FUZZ_SEED:=1}"
bin=tests/tracefuzz.$$
trap 'rm -f $bin' EXIT
trap 'exit 1' HUP INT TERM
if $CC -std=gnu11 -D_GNU_SOURCE -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer -I"$srcdir" $XXHASH_CFLAGS -o $bin "$srcdir"/tools/gt_util.c "$srcdir"/tools/gt_events.c \
	"$srcdir"/tools/gt_gen.c "$srcdir"/tools/gt_order.c "$srcdir"/tools/gt_reader.c "$srcdir"/tools/gt_print.c \
	"$srcdir"/tests/trace/story.c "$srcdir"/tests/trace/fuzz.c 2>$bin.err && $bin -n 1 >/dev/null 2>&1; then
	rm -f $bin.err
	$bin -n "$FUZZ_INPUTS" -seed "$FUZZ_SEED"
else
	echo "no sanitizers here"
	rm -f $bin.err
	tests/trace/fuzz -n "$FUZZ_INPUTS" -seed "$FUZZ_SEED"
fi
