#!/bin/sh
# The progress bar of gort-trace: on a terminal's standard error, for large traces, until the end, and then it is gone.
# It goes by a clock of this test's own, which moves on each time it is asked.
: "${srcdir:=.}" "${PYTHON3:=:}" "${CC:=cc}"
test "$PYTHON3" != : || exit 77
d=tracebar.$$
mkdir $d || exit 1
trap 'rm -rf $d' EXIT
trap 'exit 1' HUP INT TERM
tests/trace/mkdefect -large 36 >$d/large.trace || exit 1
head -c 36000000 $d/large.trace >$d/cut.trace
cat >$d/clock.c <<'!'
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *ts) {
	static long ms;
	(void)id;
	ms += atol(getenv("TICK"));
	*ts = (struct timespec){ms / 1000, ms % 1000 * 1000000};
	return 0;
}
!
$CC -shared -fPIC -o $d/clock.so $d/clock.c || exit 1
$PYTHON3 - tools/gort-trace $d "$srcdir/tests/trace/samples/story.trace" <<'!'
import os, pty, re, signal, subprocess, sys, threading
prog, tmp, small = sys.argv[1:]
large, cut = tmp + "/large.trace", tmp + "/cut.trace"
failed = 0

def bad(what):
    global failed
    failed = 1
    print("FAIL:", what)

def run(args, file, out, err, limit=None, tick=40):
    """Runs gort-trace on a file, with a clock that moves on by tick ms.  out and err are "tty", "pipe" or "null".
    Returns the status, what came on the terminal, and what in the pipe.  With a limit it is killed after so many
    bytes."""
    master, slave = pty.openpty()
    r, w = os.pipe()
    to = {"tty": slave, "pipe": w, "null": subprocess.DEVNULL}
    env = dict(os.environ, LD_PRELOAD=os.path.abspath(tmp + "/clock.so"), TICK=str(tick))
    p = subprocess.Popen([prog] + args + [file], stdin=subprocess.DEVNULL, stdout=to[out], stderr=to[err], env=env)
    os.close(slave)
    os.close(w)
    got = {master: b"", r: b""}

    def drain(fd):
        while limit is None or len(got[fd]) < limit:
            try:
                b = os.read(fd, 65536)
            except OSError:  # the terminal has no other end any more
                b = b""
            if not b:
                return
            got[fd] += b
        p.kill()
    readers = [threading.Thread(target=drain, args=(fd,)) for fd in got]
    for t in readers:
        t.start()
    status = p.wait(timeout=300)
    for t in readers:
        t.join()
    os.close(master)
    os.close(r)
    return status, got[master].decode(), got[r].decode()

def screen(s):
    """What a terminal shows in the end."""
    lines, col = [""], 0
    for m in re.finditer("\r|\n|\x1b\\[K|[^\r\n\x1b]+|\x1b", s):
        t = m.group()
        if t == "\r":
            col = 0
        elif t == "\n":
            lines.append("")
        elif t == "\x1b[K":
            lines[-1] = lines[-1][:col]
        else:
            lines[-1] = lines[-1][:col] + t + lines[-1][col + len(t):]
            col += len(t)
    return "\n".join(lines)

bar = re.compile("\r\\[(#*)(\\.*)\\] +(\\d+)% of (\\d+) MB, (\\d+) s left \x1b\\[K")

def bars(what, s):
    """Checks the bars in s, and returns it without them."""
    found = [(len(m[1]), len(m[2]), int(m[3]), int(m[4])) for m in bar.finditer(s)]
    for full, empty, percent, mb in found:
        if full + empty != 30 or abs(full / 30 - percent / 100) > 1 / 25 or mb != round(os.path.getsize(large) / 1e6):
            return bad("%s: a bar of %d + %d at %d%% of %d MB" % (what, full, empty, percent, mb))
    percents = [f[2] for f in found]
    # The clock is looked at every quarter of a megabyte, and there is no bar in the first half second.
    if percents and percents[0] < 100 * 12 / 4 * 2**20 / os.path.getsize(large) - 1:
        bad("%s: the bar came at %d%%" % (what, percents[0]))
    if len(percents) < 2 or percents[0] >= 100 or percents[-1] != 100 or found[-1][:2] != (30, 0):
        bad("%s: the bar went %s" % (what, percents))
    if percents != sorted(percents):
        bad("%s: the bar went back: %s" % (what, percents))
    return bar.sub("", s)

plain = run(["summary"], large, "pipe", "null")
if plain[0] != 0 or "goroutines" not in plain[2]:
    bad("summary: status %d, %r" % (plain[0], plain[2][:200]))

# appears, ends at 100 %, and is gone before anything else is said
status, tty, out = run(["summary"], large, "pipe", "tty")
if status != 0 or out != plain[2] or bars("summary", tty) != "\r\x1b[K":
    bad("summary: status %d, on the terminal %r" % (status, bar.sub("", tty)[:200]))
status, tty, out = run(["summary"], large, "tty", "tty")
bars("summary on a terminal", tty)
if status != 0 or screen(tty) != plain[2]:
    bad("summary on a terminal: status %d, %r" % (status, screen(tty)[:400]))

# an error ends it before 100 %
status, tty, out = run(["summary"], cut, "pipe", "tty")
percents = [int(m[3]) for m in bar.finditer(tty)]
if status != 2 or not percents or percents[-1] >= 100:
    bad("a cut trace: status %d, the bar went %s" % (status, percents))
if not re.fullmatch("gort-trace: .*offset \\d+ .*\\]\n", screen(tty)):
    bad("a cut trace: %r" % screen(tty))

# no time passes, no terminal, a small trace, a terminal that gets the events: no bar
status, tty, out = run(["summary"], large, "pipe", "tty", tick=0)
if status != 0 or tty != "":
    bad("no time: status %d, %r" % (status, tty[:200]))
status, tty, out = run(["summary"], large, "tty", "pipe")
if status != 0 or out != "" or tty.replace("\r\n", "\n") != plain[2]:
    bad("no terminal: status %d, %r" % (status, out[:200]))
status, tty, out = run(["dump"], small, "null", "tty")
if status != 0 or tty != "":
    bad("a small trace: status %d, %r" % (status, tty[:200]))
status, tty, out = run(["dump"], large, "tty", "tty", 1 << 20)
if status != -signal.SIGKILL or "%" in tty or "\x1b" in tty:
    bad("events on the terminal: status %d, %r" % (status, tty[:200]))
sys.exit(failed)
!
