#!/bin/sh
# The rules that a script can see; they are the same in all builds, so the plain one is enough.
grep -qs '^GORT_DEFS = .*GORT_DEBUG' Makefile && exit 77
exec "${srcdir:=.}/tools/check-style" "$srcdir"
