#!/bin/sh
# Only gort_* is visible in the libraries; no dynamic TLS; no libc malloc or stdio behind the runtime's back.
: "${NM:=nm}"
rc=0
for f in .libs/libgort.so .libs/libgort.a; do
	test -f $f || continue
	case $f in *.so) o='-D --defined-only' ;; *) o='-g --defined-only' ;; esac
	x=$($NM $o $f | awk 'NF == 3 && $3 !~ /^gort_/ && $3 !~ /^GORT_/ { print $3 }' | sort -u)
	test -z "$x" || { echo "$f exports" $x; rc=1; }
	$NM $o $f | grep -q ' gort_run' || { echo "$f lacks gort_run"; rc=1; }
	u=$($NM -u $f | awk '{ print $2 }' | sed 's/@.*//' | sort -u)
	for s in __tls_get_addr malloc calloc realloc free printf fprintf sprintf puts fwrite fopen qsort; do
		echo "$u" | grep -qx $s && { echo "$f uses $s"; rc=1; }
	done
done
exit $rc
