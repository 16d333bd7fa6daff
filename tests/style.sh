#!/bin/sh
# The rules that a script can see; they are the same in all builds, so the plain one is enough.
grep -Eqs '^(GORT_DEFS = .*GORT_DEBUG|SANITIZE = -)' Makefile && exit 77
exec "${srcdir:=.}/tools/check-style" "$srcdir"
