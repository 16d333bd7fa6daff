#!/bin/sh
exec "${srcdir:=.}/tools/check-style" "$srcdir"
