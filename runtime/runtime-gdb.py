# Copyright 2026 The gort authors and the Go authors. All rights reserved.
# Use of this source code is governed by a BSD-style
# license that can be found in the LICENSE file.
"""gdb commands for programs that run on gort.

    info goroutines [N]       all goroutines, or the first N
    goroutine ID CMD          CMD (bt, info locals, ...) in the goroutine's frames
    goroutine all CMD         the same for each goroutine
    goroutine ADDR CMD        ADDR: of a G

and channels print as what is in them and who waits.  After Go's runtime-gdb.py, but a goroutine that is
off its thread is shown by an unwinder and not by changing registers: so it works on core files, too.
Needs the debugging information of gort.
"""
import re

import gdb
import gdb.unwinder

IDLE, RUNNABLE, RUNNING, SYSCALL, WAITING, DEAD, PREEMPTED = 0, 1, 2, 3, 4, 6, 9
SCAN = 0x1000
STATUS = {IDLE: "idle", RUNNABLE: "runnable", RUNNING: "running", SYSCALL: "syscall", WAITING: "waiting",
          DEAD: "dead", PREEMPTED: "preempted"}
# As gort.h's GORT_CHANLEN_: a gort_chan(T) is a pointer to an array of that many T.
CHANLEN = 0x474F5254


def var(name):
    """The value of a variable of the runtime, which the program may have a namesake of."""
    for lookup in (gdb.lookup_static_symbol, gdb.lookup_global_symbol):
        s = lookup(name)
        if s is not None:
            return s.value()
    raise gdb.GdbError("no variable %s: is this a gort program, with debugging information?" % name)


def u64(v):
    return int(v) & 0xFFFFFFFFFFFFFFFF


def words(addr, n):
    """n 64-bit words of memory."""
    m = gdb.selected_inferior().read_memory(addr, 8 * n)
    return [int.from_bytes(m[8 * i:8 * i + 8], "little") for i in range(n)]


def status(g):
    return int(g["atomicstatus"]) & ~SCAN


def statusname(g):
    st = status(g)
    if st == WAITING and int(g["waitreason"]) != 0:
        try:
            return var("waitReasonStrings")[int(g["waitreason"])].string()
        except (gdb.error, gdb.GdbError):
            pass
    return STATUS.get(st, "unknown state %d" % st)


def goroutines():
    """All goroutines that are alive, as values of type G."""
    tab, n = var("allgptr"), int(var("allglen"))
    for i in range(n):
        g = tab[i].dereference()
        if status(g) not in (IDLE, DEAD):
            yield g


def find(spec):
    """The goroutine of an id or of the address of a G."""
    v = int(gdb.parse_and_eval(spec))
    for g in goroutines():
        if u64(g["goid"]) == v or u64(g.address) == v:
            return g
    raise gdb.GdbError("there is no goroutine %s" % spec)


def thread_of(g):
    """The thread that the goroutine is on, None if it is off."""
    on = status(g) in (RUNNING, SYSCALL) or u64(g["sigframelo"]) != 0
    m = g["m"] if u64(g["m"]) != 0 else g["lockedm"]
    if not on or u64(m) == 0:
        return None
    tid = u64(m["procid"])
    for t in gdb.selected_inferior().threads():
        if tid in t.ptid[1:]:
            return t
    return None


def registers(g):
    """The registers with which the goroutine goes on.  See asm_amd64.S for what stands at sched.sp."""
    sp = u64(g["sched"]["sp"])
    if u64(g["stack"]["lo"]) == 0 or sp == 0:
        return None
    if u64(g["sigframelo"]) != 0:
        return {"rip": u64(g["sched"]["pc"]), "rsp": sp + 128, "rbp": u64(g["sched"]["bp"])}
    names = ("r15", "r14", "r13", "r12", "rbx", "rbp", "rip")
    r = dict(zip(names, words(sp, 7)))
    r["rsp"] = sp + 56
    return r


# ---- the unwinder


class FrameID:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class Unwinder(gdb.unwinder.Unwinder):
    """While a goroutine is being looked at, it is the caller of the selected thread's innermost frame."""

    def __init__(self):
        super().__init__("gort goroutines")
        self.regs = None

    def __call__(self, frame):
        if self.regs is None:
            return None
        if self.at != (u64(frame.read_register("rip")), u64(frame.read_register("rsp"))):
            return None
        t = gdb.lookup_type("unsigned long")
        # gdb wants stacks to go up.
        info = frame.create_unwind_info(FrameID(gdb.Value(self.regs["rsp"] - 16).cast(t),
                                                frame.read_register("rip")))
        for name, v in self.regs.items():
            val = gdb.Value(v).cast(t)
            if name in ("rsp", "rip"):
                val = val.cast(frame.read_register(name).type)
            info.add_saved_register(name, val)
        return info


class Looking:
    """with Looking(g): gdb's frames are those of g."""

    def __init__(self, g):
        self.g = g

    def __enter__(self):
        self.thread = gdb.selected_thread()
        if self.thread is None:
            raise gdb.GdbError("there is no process and no core file")
        try:
            self.frame = gdb.selected_frame().level()
        except gdb.error:
            self.frame = 0
        self.on = thread_of(self.g)
        if self.on is not None:
            self.on.switch()
            gdb.newest_frame().select()
            return self
        regs = registers(self.g)
        if regs is None:
            raise gdb.GdbError("goroutine %d has not run yet: it will start at %s" %
                               (u64(self.g["goid"]), where(u64(self.g["startpc"]))))
        f = gdb.newest_frame()
        unwinder.at = (u64(f.read_register("rip")), u64(f.read_register("rsp")))
        unwinder.regs = regs
        gdb.invalidate_cached_frames()
        # The thread may be in inlined calls: frames, but not on the stack.
        f, self.skip = gdb.newest_frame(), 1
        while f.type() == gdb.INLINE_FRAME and f.older() is not None:
            f, self.skip = f.older(), self.skip + 1
        f = f.older()
        if f is None:
            raise gdb.GdbError("goroutine %d cannot be unwound" % u64(self.g["goid"]))
        f.select()
        return self

    def __exit__(self, *exc):
        unwinder.regs = None
        gdb.invalidate_cached_frames()
        if self.thread is not None:
            self.thread.switch()
            f = gdb.newest_frame()
            while self.frame > 0 and f.older() is not None:
                f = f.older()
                self.frame -= 1
            f.select()
        return False

    def run(self, cmd):
        m = re.match(r"((?:bt|backtrace|where)(?: +full)?) +(\d+)$", cmd)
        if m is not None and self.on is None:
            cmd = "%s %d" % (m.group(1), int(m.group(2)) + self.skip)
        out = gdb.execute(cmd, False, True)
        if self.on is None and re.match(r"(bt|backtrace|where|info stack|i s)\b", cmd):
            # The first frames are the thread's.
            out = re.sub(r"\A(#\d+ .*\n(?:[^#\n].*\n)*){%d}" % self.skip, "", out)
            out = re.sub(r"^#(\d+) +", lambda m: "#%-3d" % (int(m.group(1)) - self.skip), out, flags=re.M)
        return out


def where(pc):
    """func at file:line, for people."""
    sal = gdb.find_pc_line(pc)
    name = None
    try:
        b = gdb.block_for_pc(pc)
        while b is not None and b.function is None:
            b = b.superblock
        if b is not None:
            name = b.function.name
    except (gdb.error, RuntimeError):
        pass
    if name is None:
        return gdb.execute("info symbol 0x%x" % pc, False, True).split(" in section")[0].strip()
    if sal.symtab is None:
        return name
    return "%s at %s:%d" % (name, sal.symtab.filename, sal.line)


def place(g, text):
    """Where a goroutine is: the innermost frame that is not the runtime's, by frame pointers."""
    if u64(g["stack"]["lo"]) == 0:
        return where(u64(g["startpc"]))
    if status(g) == RUNNING and u64(g["sigframelo"]) == 0:
        t = thread_of(g)
        if t is None:
            return ""
        was = gdb.selected_thread()
        try:
            t.switch()
            f = gdb.newest_frame()
            first = f
            while f is not None and text[0] <= f.pc() < text[1]:
                f = f.older()
            return where((f or first).pc())
        finally:
            was.switch()
    pc, bp = u64(g["sched"]["pc"]), u64(g["sched"]["bp"])
    if status(g) == SYSCALL and u64(g["syscallsp"]) != 0:
        pc, bp = u64(g["syscallpc"]), u64(g["syscallbp"])
    lo, hi = u64(g["stack"]["lo"]), u64(g["stack"]["hi"])
    first = pc
    for i in range(64):
        if not text[0] <= pc < text[1]:
            return where(pc - 1)
        if not lo <= bp <= hi - 16 or bp % 8 != 0:
            break
        bp, pc = words(bp, 2)
        lo += 1
    return where(first - 1)


# ---- commands


class InfoGoroutines(gdb.Command):
    """List goroutines: info goroutines [N].
A star marks those that are on a thread."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STACK)

    def invoke(self, arg, from_tty):
        limit = int(gdb.parse_and_eval(arg)) if arg.strip() else None
        text = (u64(var("textlo")), u64(var("texthi")))
        n = 0
        for g in goroutines():
            n += 1
            if limit is not None and n > limit:
                continue
            star = "*" if u64(g["m"]) != 0 else " "
            print("%s %-5d %-16s %s" % (star, u64(g["goid"]), statusname(g), place(g, text)))
        if limit is not None and n > limit:
            print("... and %d more" % (n - limit))


class Goroutine(gdb.Command):
    """Run a command in the frames of a goroutine: goroutine ID|all|ADDR CMD."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK)

    def invoke(self, arg, from_tty):
        words_ = arg.split(None, 1)
        if len(words_) != 2:
            raise gdb.GdbError("usage: goroutine ID|all|ADDR COMMAND")
        spec, cmd = words_
        if spec == "all":
            for g in goroutines():
                print("\ngoroutine %d [%s]:" % (u64(g["goid"]), statusname(g)))
                try:
                    with Looking(g) as l:
                        print(l.run(cmd), end="")
                except gdb.error as e:
                    print(e)
            return
        g = find(spec)
        with Looking(g) as l:
            print(l.run(cmd), end="")


# ---- channels


def waiters(q):
    """The goroutines in a waitq."""
    s, ids = q["first"], []
    while u64(s) != 0 and len(ids) < 1000:
        ids.append(u64(s["g"]["goid"]))
        s = s["next"]
    return ids


def plural(ids):
    return "goroutine%s %s" % ("s" if len(ids) > 1 else "", ", ".join(map(str, ids[:10])) +
                               (", ..." if len(ids) > 10 else ""))


class ChanPrinter:
    """A channel: what is in its buffer, and who waits."""

    def __init__(self, c, elem):
        self.c = c
        self.elem = elem

    def to_string(self):
        if self.c is None:
            return "chan %s nil" % self.elem
        c, t = self.c, self.elem
        try:
            t = c["elemtype"]["name"].string()
        except gdb.error:
            pass
        s = "chan %s, %d of %d" % (t, int(c["qcount"]), int(c["dataqsiz"]))
        if int(c["closed"]) != 0:
            s += ", closed"
        for name, q in (("receiving", "recvq"), ("sending", "sendq")):
            ids = waiters(c[q])
            if ids:
                s += ", %s: %s" % (name, plural(ids))
        return s

    def children(self):
        c = self.c
        if c is None or self.elem is None:
            return
        n, cap, first = int(c["qcount"]), int(c["dataqsiz"]), int(c["recvx"])
        if not 0 < n <= cap:
            return
        buf = c["buf"].cast(self.elem.pointer())
        for i in range(n):
            yield "[%d]" % i, (buf + (first + i) % cap).dereference()


def printer(val):
    t = val.type.strip_typedefs()
    if t.code == gdb.TYPE_CODE_STRUCT and t.tag == "hchan":
        return ChanPrinter(val, None)
    if t.code != gdb.TYPE_CODE_PTR:
        return None
    a = t.target().strip_typedefs()
    if a.code != gdb.TYPE_CODE_ARRAY or a.range()[1] != CHANLEN - 1:
        return None
    try:
        h = gdb.lookup_type("struct hchan")
    except gdb.error:
        return None
    c = None if u64(val) == 0 else val.cast(h.pointer()).dereference()
    return ChanPrinter(c, a.target())


# The library and the program may both carry this script.
if not hasattr(gdb, "gort_loaded"):
    gdb.gort_loaded = True
    unwinder = Unwinder()
    gdb.unwinder.register_unwinder(None, unwinder, True)
    InfoGoroutines()
    Goroutine()
    printer.name = "gort"
    gdb.pretty_printers.append(printer)
