#!/bin/sh
# gort-trace html: the page stands for itself, is bounded, and a browser shows it from disk (if there is a Chromium).
. "${srcdir:=.}/tests/support/test.sh"
g=$PWD/tools/gort-trace
runs=$srcdir/tests/trace/runs
"$g" html -o "$t/one.html" "$runs/locks-2procs.trace" || bad "one trace"
"$g" html "$runs/gcforced.trace" -o "$t/two.html" "$runs/gcforced-gogc200.trace" || bad "two traces"
"$g" html -o - "$runs/locks-2procs.trace" | cmp -s - "$t/one.html" || bad "the page on standard output is another one"
for p in one two; do
	grep -nE 'https?:|<script[^>]*src|@import|url\(|<link[^>]*href="[^d]' "$t/$p.html" && bad "$p.html wants something from elsewhere"
	tail -1 "$t/$p.html" | grep -q '^</html>$' || bad "$p.html is not whole"
done
grep -c '"file":' "$t/two.html" | grep -qx 2 || bad "two.html has not two traces"
# names that are HTML or end a script stay data
"$g" html -o "$t/evil.html" -rename 'main\.main=</script><img src=x>"&' "$runs/pool.trace" || bad "names with tags"
grep -c '</script>' "$t/evil.html" | grep -qx 2 || bad "a name ends the script"
grep -q '<img' "$t/evil.html" && bad "a name is a tag"
# a bound on the page whatever the trace
"$g" html -max 1000 -o "$t/small.html" "$runs/pingpong.trace" || bad "-max 1000"
test "$(wc -c <"$t/small.html")" -lt 120000 || bad "-max 1000 is ignored"
for a in "" "$runs/pool.trace" "-o $t/x.html" "-o $t/x.html $runs/pool.trace $runs/pool.trace $runs/pool.trace" "-max 5 -o $t/x.html $runs/pool.trace" \
	"-o $t/none/x.html $runs/pool.trace" "-o $t/x.html $t/none" "-o $t/x.html $t/one.html"; do
	"$g" html $a >"$t/out" 2>"$t/err"
	test $? = 2 && test -s "$t/err" || bad "html $a: not status 2 with a message"
done
# in a browser
browser=
for b in "${CHROMIUM-}" chromium chromium-browser google-chrome; do
	test -n "$b" && command -v "$b" >/dev/null && browser=$b && break
done
if test -z "$browser"; then
	echo "no Chromium: the pages are not looked at"
else
	for p in one two evil; do
		timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$t/b" --virtual-time-budget=3000 --dump-dom "file://$t/$p.html" >"$t/dom" 2>"$t/err" ||
			{ echo "$browser does not run here:"; tail -2 "$t/err"; break; }
		test "$(grep -o 'class="card"><div class="t">[A-Z]' "$t/dom" | wc -l)" = 8 || bad "$p.html: the page does not come up"
		grep -q '<canvas[^>]*style="height' "$t/dom" || bad "$p.html: no timeline"
		grep -q 'class="dist"><h3>R' "$t/dom" || bad "$p.html: no distributions"
	done
fi
test $rc = 0 && echo "tracehtml: all as expected"
exit $rc
