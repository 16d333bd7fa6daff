#!/bin/sh
# Frames of inlined calls are those that addr2line finds, at addresses all over the runtime's text, in DWARF as
# this compiler writes it; with compressed or broken debug sections there are fewer of them, and no crash.
: "${NM:=nm}" "${PYTHON3:=:}"
test "$PYTHON3" != : || exit 77
addr2line=$(command -v llvm-addr2line || command -v llvm-addr2line-14 || command -v addr2line) || exit 77
# binutils' own does not find all of clang's ranges
case $addr2line:${CC:-gcc} in *llvm*:* | *:gcc*) ;; *) exit 77 ;; esac
prog=tests/prog/symframes
t=inline.$$
trap 'rm -rf $t' EXIT
trap 'exit 1' HUP INT TERM
mkdir $t
$PYTHON3 - "$prog" "$NM" "$addr2line" $t <<'!'
import os, random, re, subprocess, sys
prog, nm, a2l, tmp = sys.argv[1:]
random.seed(int(os.environ.get("SEED", "1")))

def run(argv, text=""):
    p = subprocess.run(argv, input=text, capture_output=True, text=True, errors="replace", timeout=60)
    if p.returncode != 0:
        sys.exit("%s: status %d\n%s" % (argv[0], p.returncode, p.stderr[:500]))
    return p.stdout

addrs = []
for l in run(nm.split() + ["-S", prog]).splitlines():
    f = l.split()
    if len(f) == 4 and f[2] in "tT":
        addrs += range(int(f[0], 16), int(f[0], 16) + int(f[1], 16))
addrs = sorted(random.sample(addrs, min(20000, len(addrs))))
text = "".join("%x\n" % a for a in addrs)

def ours(p):
    r = {}
    for l in run([p], text).splitlines():
        f = l.split(" ")
        if re.match("[0-9a-f]+$", f[0]):  # names may be broken, too
            r[int(f[0], 16)] = [os.path.normpath(x) for x in f[1:]]
    return r

def theirs():
    r, cur = {}, 0
    for l in run([a2l, "-a", "-i", "-e", prog], "".join("0x%x\n" % a for a in addrs)).splitlines():
        l = l.split(" (discriminator")[0]
        if re.match("0x[0-9a-f]+$", l):
            cur = int(l, 16)
            r[cur] = []
        elif l:
            r[cur].append(os.path.normpath(re.sub(":\\?$", ":0", re.sub(r":(\d+):\d+$", r":\1", l))))
    return r

got, want = ours(prog), theirs()
bad = [a for a in addrs if got.get(a) != want.get(a) and not any("?" in x for x in want.get(a, ["?"]))]
inlined = sum(len(x) > 1 for x in want.values())
print("%d addresses, %d in inlined calls, %d differ" % (len(addrs), inlined, len(bad)))
for a in bad[:10]:
    print("%x: %s, addr2line %s" % (a, got.get(a), want.get(a)))
if len(bad) > len(addrs) // 1000:
    sys.exit(1)

# Compressed: nothing but names.
z = tmp + "/compressed"
if subprocess.run([os.environ.get("OBJCOPY", "objcopy"), "--compress-debug-sections", prog, z],
                  stderr=subprocess.DEVNULL).returncode == 0:
    for a, f in ours(z).items():
        if len(f) > 1:
            sys.exit("compressed: %x: %s" % (a, f))

# Broken: any answer will do.
data = open(prog, "rb").read()
secs = [l.split() for l in run(["readelf", "-SW", prog]).replace("[ ", "[").splitlines() if " .debug_" in l]
text = "".join("%x\n" % a for a in addrs[::20])
for i in range(20):
    b = bytearray(data)
    for s in secs:
        off, size = int(s[4], 16), int(s[5], 16)
        for k in range(random.choice([1, 10, 1000])):
            b[off + random.randrange(size)] = random.choice([0, 1, 255, random.randrange(256)])
    x = "%s/broken%d" % (tmp, i)
    open(x, "wb").write(b)
    os.chmod(x, 0o755)
    ours(x)
    os.unlink(x)
!
