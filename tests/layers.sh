#!/bin/sh
# The layers of tools/layers.dag hold.
: "${srcdir:=.}"
test "${PYTHON3:-:}" != : || exit 77
exec $PYTHON3 "$srcdir/tools/check-layers" "$srcdir/tools/layers.dag" runtime/*.o sched/*.o
