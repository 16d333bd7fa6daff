package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"sort"
	"strings"

	"tracediff/trace"
)

// Class says how a key is judged when there is no calibration file.
type Class byte

const (
	Exact Class = 'E' // must be equal
	Seq   Class = 'Q' // ordered token list, must be equal; first divergence is shown
	Stat  Class = 'S' // number, judged with a tolerance
	Info  Class = 'I' // shown, never judged
)

type Value struct {
	Class Class    `json:"class"`
	S     string   `json:"s,omitempty"`   // Exact
	N     float64  `json:"n"`             // Stat, Info
	Q     []string `json:"seq,omitempty"` // Seq
	Tol   float64  `json:"tol,omitempty"` // relative tolerance (Stat)
	Floor float64  `json:"floor,omitempty"`
}

type Summary map[string]Value

func (s Summary) e(k string, v any)      { s[k] = Value{Class: Exact, S: fmt.Sprint(v)} }
func (s Summary) q(k string, v []string) { s[k] = Value{Class: Seq, Q: v} }
func (s Summary) n(k string, v, tol, floor float64) {
	s[k] = Value{Class: Stat, N: v, Tol: tol, Floor: floor}
}
func (s Summary) i(k string, v float64) { s[k] = Value{Class: Info, N: v} }

type renamer struct {
	re   *regexp.Regexp
	with string
}

var renames []renamer

func fn(s string) string {
	for _, r := range renames {
		s = r.re.ReplaceAllString(s, r.with)
	}
	return s
}

type cat byte

const (
	user cat = iota
	system
	tracer
)

type gor struct {
	id       trace.GoID
	name     string
	path     string
	parent   trace.GoID
	created  bool
	cat      cat
	nchild   map[string]int
	toks     []string
	counts   map[string]int
	state    trace.GoState
	since    trace.Time
	label    string
	inAssist bool
	byRT     bool // last left the running state because of the GC, the tracer or preemption
	assistAt trace.Time
}

func isTracer(n string) bool {
	return strings.HasPrefix(n, "runtime/trace.") || strings.Contains(n, "traceStartReadCPU") ||
		strings.Contains(n, "traceAdvancerState") || strings.Contains(n, "traceReader")
}
func catOf(n string) cat {
	switch {
	case isTracer(n):
		return tracer
	case n == "" || n != "runtime.main" && strings.HasPrefix(n, "runtime."):
		return system
	}
	return user
}

// Frames that mean "this transition was caused by the collector or by the tracer, not by the program".
func internalStack(st trace.Stack) (gc, tr bool) {
	for f := range st.Frames() {
		n := fn(f.Func)
		switch {
		case strings.HasPrefix(n, "runtime.gcStart"), strings.HasPrefix(n, "runtime.gcAssist"),
			n == "runtime.mallocgc", n == "runtime.deductAssistCredit", n == "runtime.GC", n == "runtime.gcMarkDone":
			gc = true
		case strings.HasPrefix(n, "runtime/trace."), n == "runtime.StopTrace", n == "runtime.traceAdvance":
			// annotations carry user frames below runtime/trace.*; only Start/Stop are the tracer itself
			if n == "runtime/trace.Start" || n == "runtime/trace.Stop" || strings.HasPrefix(n, "runtime.") {
				tr = true
			}
		}
	}
	return
}

func root(st trace.Stack) (n string) {
	for f := range st.Frames() {
		n = fn(f.Func)
	}
	return
}

func load(file string) ([]trace.Event, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := trace.NewReader(f)
	if err != nil {
		return nil, err
	}
	var evs []trace.Event
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			return evs, nil
		}
		if err != nil {
			return evs, fmt.Errorf("%s: %w", file, err)
		}
		evs = append(evs, ev)
	}
}

var ord = regexp.MustCompile(`#\d+`)

func noOrd(s string) string { return ord.ReplaceAllString(s, "") }

func quant(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sort.Float64s(v)
	return v[int(math.Min(float64(len(v)-1), q*float64(len(v))))]
}

type gcCycle struct {
	phases  []string // begin, stw..., mark workers seen, end
	workers map[string]float64
	starts  map[string]int
	begin   trace.Time
	dur     float64
	liveAt  float64
	after   float64
	goalAt  float64
	goal    float64
	assist  float64
}

func summarize(file string) (Summary, error) {
	evs, err := load(file)
	if err != nil {
		return nil, err
	}
	s := Summary{}
	gs := map[trace.GoID]*gor{}
	get := func(id trace.GoID) *gor {
		g := gs[id]
		if g == nil {
			g = &gor{id: id, parent: trace.NoGoroutine, nchild: map[string]int{}, counts: map[string]int{}}
			gs[id] = g
		}
		return g
	}
	// Pass 1: name goroutines and build the creation tree.
	var order []*gor
	for i := range evs {
		ev := &evs[i]
		if ev.Kind() != trace.EventStateTransition {
			continue
		}
		st := ev.StateTransition()
		if st.Resource.Kind != trace.ResourceGoroutine {
			continue
		}
		id := st.Resource.Goroutine()
		from, _ := st.Goroutine()
		_, known := gs[id]
		g := get(id)
		if !known {
			order = append(order, g)
		}
		if g.name == "" {
			g.name = root(st.Stack)
		}
		if from == trace.GoNotExist {
			g.created, g.parent = true, ev.Goroutine()
		}
	}
	for _, g := range order {
		g.cat = catOf(g.name)
		if !g.created && g.id != 1 && g.cat == user && g.name == "" {
			g.cat = system
		}
		if g.parent != trace.NoGoroutine && g.cat != system {
			p := get(g.parent)
			k := p.nchild[g.name]
			p.nchild[g.name]++
			g.path = fmt.Sprintf("%s/%s#%d", p.path, g.name, k)
		} else {
			g.path = g.name
		}
	}
	path := func(id trace.GoID) string {
		if id == trace.NoGoroutine {
			return "<sched>"
		}
		return get(id).path
	}
	// Pass 2.
	var (
		kinds          = map[string]int{}
		edges          = map[string]int{}
		schedOrder     []string
		lat            = map[bool][]float64{}
		stw            = map[string][]float64{}
		stwAt          = map[string]trace.Time{}
		procRun        = map[trace.ProcID]float64{}
		procAt         = map[trace.ProcID]trace.Time{}
		heapGoal       []float64
		heapAlloc      []float64
		cycles         []*gcCycle
		cyc            *gcCycle
		curLive        float64
		curGoal        float64
		userRun        float64
		assistT        float64
		assistN        int
		swept, reclaim float64
		sweepN         int
		preempt        int
		sysBlocked     int
		first, last    trace.Time
		procs          = 0.0
		samples        int
	)
	tok := func(id trace.GoID, t string) {
		if id == trace.NoGoroutine {
			return
		}
		g := get(id)
		if g.cat == user {
			g.toks = append(g.toks, t)
		}
	}
	for i := range evs {
		ev := &evs[i]
		t := ev.Time()
		if first == 0 && ev.Kind() != trace.EventSync {
			first = t
		}
		if ev.Kind() != trace.EventSync {
			last = t
		}
		switch ev.Kind() {
		case trace.EventStateTransition:
			st := ev.StateTransition()
			switch st.Resource.Kind {
			case trace.ResourceProc:
				from, to := st.Proc()
				p := st.Resource.Proc()
				if from == to || from == trace.ProcUndetermined && to == trace.ProcIdle {
					continue
				}
				kinds["proc "+from.String()+"->"+to.String()]++
				if to == trace.ProcRunning {
					procAt[p] = t
				} else if a, ok := procAt[p]; ok {
					procRun[p] += float64(t - a)
					delete(procAt, p)
				}
			case trace.ResourceGoroutine:
				id := st.Resource.Goroutine()
				g := get(id)
				from, to := st.Goroutine()
				if from == to {
					continue
				}
				gc, tr := internalStack(ev.Stack())
				d := float64(t - g.since)
				if g.since != 0 {
					switch {
					case from == trace.GoRunning && g.cat == user:
						userRun += d
					case from == trace.GoRunning && g.label != "" && cyc != nil:
						cyc.workers[g.label] += d
					}
					if from == trace.GoRunnable && to == trace.GoRunning {
						lat[g.cat == user] = append(lat[g.cat == user], d)
					}
				}
				g.state, g.since = to, t
				if from == trace.GoUndetermined {
					continue
				}
				if from == trace.GoRunning {
					g.byRT = gc || tr || st.Reason == "preempted"
				}
				if g.cat == user {
					k := "go " + from.String() + "->" + to.String()
					if st.Reason != "" {
						k += " (" + st.Reason + ")"
					}
					if gc {
						k = "gc-caused " + k
					}
					if tr {
						k = "tracer " + k
					}
					kinds[k]++
				}
				switch {
				case from == trace.GoNotExist: // creation
					if g.cat == user {
						tok(ev.Goroutine(), "create("+g.name+")")
					}
				case to == trace.GoRunning && from == trace.GoRunnable:
					g.label = ""
					if g.cat == user && !g.byRT {
						schedOrder = append(schedOrder, g.path)
					}
					g.byRT = false
				case to == trace.GoWaiting:
					if !gc && !tr {
						tok(id, "block("+st.Reason+")")
						g.counts["block "+st.Reason]++
					}
					g.label = ""
				case from == trace.GoWaiting && to == trace.GoRunnable:
					if g.cat != user || gc || tr {
						break
					}
					if c := ev.Goroutine(); c != trace.NoGoroutine && get(c).cat != user {
						// unblocked by a runtime goroutine: keep only as an edge
						edges[get(c).name+" -> "+g.path]++
						break
					}
					edges[path(ev.Goroutine())+" -> "+g.path]++
					tok(ev.Goroutine(), "unblock("+g.path+")")
				case from == trace.GoRunning && to == trace.GoRunnable:
					if st.Reason == "preempted" {
						if g.cat == user {
							preempt++
						}
					} else if !gc && !tr {
						tok(id, "yield("+st.Reason+")")
						g.counts["yield "+st.Reason]++
					}
				case to == trace.GoSyscall:
					if !tr && !gc {
						tok(id, "syscall")
						g.counts["syscall"]++
					}
				case from == trace.GoSyscall && to == trace.GoRunnable:
					if g.cat == user {
						sysBlocked++
					}
				case to == trace.GoNotExist:
					tok(id, "end")
				}
			}
		case trace.EventMetric:
			m := ev.Metric()
			v := float64(m.Value.Uint64())
			switch m.Name {
			case "/memory/classes/heap/objects:bytes":
				heapAlloc = append(heapAlloc, v)
				curLive = v
				if cyc != nil {
					cyc.after = v
				}
			case "/gc/heap/goal:bytes":
				heapGoal = append(heapGoal, v)
				curGoal = v
				if n := len(cycles); n > 0 && cycles[n-1].goal == 0 {
					cycles[n-1].goal = v
				}
			case "/sched/gomaxprocs:threads":
				procs = v
			}
		case trace.EventLabel:
			l := ev.Label()
			g := get(ev.Goroutine())
			g.label = l.Label
			if cyc != nil {
				cyc.starts[l.Label]++
				if n := len(cyc.phases); cyc.phases[n-1] != l.Label {
					cyc.phases = append(cyc.phases, l.Label)
				}
			}
		case trace.EventRangeBegin, trace.EventRangeActive:
			r := ev.Range()
			switch {
			case r.Name == "GC concurrent mark phase":
				cyc = &gcCycle{workers: map[string]float64{}, starts: map[string]int{}, begin: t, liveAt: curLive, goalAt: curGoal, phases: []string{"GCBegin"}}
			case strings.HasPrefix(r.Name, "stop-the-world"):
				stwAt[r.Name] = t
				if cyc != nil {
					cyc.phases = append(cyc.phases, r.Name)
				}
			case r.Name == "GC mark assist":
				g := get(r.Scope.Goroutine())
				g.inAssist, g.assistAt = true, t
				assistN++
			}
		case trace.EventRangeEnd:
			r := ev.Range()
			switch {
			case r.Name == "GC concurrent mark phase":
				if cyc != nil {
					cyc.dur = float64(t - cyc.begin)
					cyc.phases = append(cyc.phases, "GCEnd")
					cycles = append(cycles, cyc)
					cyc = nil
				}
			case strings.HasPrefix(r.Name, "stop-the-world"):
				stw[r.Name] = append(stw[r.Name], float64(t-stwAt[r.Name]))
			case r.Name == "GC mark assist":
				g := get(r.Scope.Goroutine())
				if g.inAssist {
					assistT += float64(t - g.assistAt)
					if cyc != nil {
						cyc.assist += float64(t - g.assistAt)
					}
					g.inAssist = false
				}
			case r.Name == "GC incremental sweep":
				sweepN++
				for _, a := range ev.RangeAttributes() {
					if a.Name == "bytes swept" {
						swept += float64(a.Value.Uint64())
					} else {
						reclaim += float64(a.Value.Uint64())
					}
				}
			}
		case trace.EventTaskBegin:
			tok(ev.Goroutine(), "task("+ev.Task().Type+")")
		case trace.EventTaskEnd:
			tok(ev.Goroutine(), "endtask("+ev.Task().Type+")")
		case trace.EventRegionBegin:
			tok(ev.Goroutine(), "region("+ev.Region().Type+")")
		case trace.EventRegionEnd:
			tok(ev.Goroutine(), "endregion("+ev.Region().Type+")")
		case trace.EventLog:
			l := ev.Log()
			tok(ev.Goroutine(), "log("+l.Category+":"+l.Message+")")
		case trace.EventStackSample:
			samples++
		}
	}
	wall := float64(last - first)
	for p, a := range procAt {
		procRun[p] += float64(last - a)
	}

	// ---- keys
	s.e("procs/gomaxprocs", procs)
	// goroutines
	tree := []string{}
	for _, g := range order {
		if g.cat != user {
			continue
		}
		tree = append(tree, g.path)
		s.q("go/"+g.path+"/sequence", g.toks)
		for k, v := range g.counts {
			s.e("go/"+g.path+"/count "+k, v)
		}
	}
	s.q("go/creation tree", tree)
	sysg := map[string]int{}
	for _, g := range order {
		if g.cat == system && g.name != "" {
			sysg[g.name]++
		}
	}
	s.e("sysgoroutines", fmt.Sprint(sysg))
	// The same without sibling ordinals: what stays comparable when siblings compete at GOMAXPROCS>1.
	class := map[string]int{}
	for k, v := range edges {
		s.e("edge/"+k, v)
		class["edge "+noOrd(k)] += v
	}
	ends := map[string]int{}
	for _, g := range order {
		if g.cat != user {
			continue
		}
		c := noOrd(g.path)
		for k, v := range g.counts {
			class["count "+c+" "+k] += v
		}
		class["goroutines "+c]++
		e := "(start)"
		if len(g.toks) > 0 {
			e = noOrd(g.toks[len(g.toks)-1])
		}
		ends[c+" ends in "+e]++
	}
	for k, v := range class {
		if strings.HasPrefix(k, "goroutines ") {
			s.e("class/"+k, v)
		} else {
			s.n("class/"+k, float64(v), .6, 60)
		}
	}
	s.e("class/final tokens", fmt.Sprint(ends))
	s.q("sched/start order", schedOrder)
	s.n("sched/preemptions", float64(preempt), 0.5, 5)
	s.n("sched/blocked syscalls", float64(sysBlocked), 0.5, 5)
	for k, v := range kinds {
		if strings.HasPrefix(k, "proc ") || strings.Contains(k, "preempted") || strings.HasPrefix(k, "gc-caused") || strings.Contains(k, "Waiting->Runnable") || strings.Contains(k, "Syscall->") {
			s.n("kind/"+k, float64(v), 0.5, 8)
		} else if !strings.HasPrefix(k, "tracer ") && !strings.Contains(k, "Runnable->Running") {
			s.e("kind/"+k, v)
		} else if strings.Contains(k, "Runnable->Running") {
			s.n("kind/"+k, float64(v), 0.3, 8)
		}
	}
	for who, l := range map[string][]float64{"user": lat[true], "system": lat[false]} {
		for _, q := range []float64{.5, .9, .99} {
			if who == "system" { // wake-up latency of idle helpers: dominated by the tracer and by luck
				s.i(fmt.Sprintf("latency/%s p%g ns", who, q*100), quant(l, q))
				continue
			}
			s.n(fmt.Sprintf("latency/%s p%g ns", who, q*100), quant(l, q), 3, 20000)
		}
	}
	// GC
	s.e("gc/cycles", len(cycles))
	sum := gcCycle{workers: map[string]float64{}, starts: map[string]int{}}
	var live, after, goal []float64
	shapes := map[string]int{}
	for i, c := range cycles {
		if len(cycles) <= 4 { // few cycles: index aligned
			s.n(fmt.Sprintf("gc/cycle%02d/live at start", i), c.liveAt, .05, 65536)
			s.n(fmt.Sprintf("gc/cycle%02d/live after", i), c.after, .05, 65536)
			s.n(fmt.Sprintf("gc/cycle%02d/next goal", i), c.goal, .05, 65536)
		}
		live, after, goal = append(live, c.liveAt), append(after, c.after), append(goal, c.goal)
		shapes[strings.Join(stwOnly(c.phases), " > ")]++
		for k, v := range c.workers {
			sum.workers[k] += v
		}
		for k, v := range c.starts {
			sum.starts[k] += v
		}
		sum.dur += c.dur
		sum.liveAt += c.liveAt / math.Max(1, c.goalAt)
	}
	if n := float64(len(cycles)); n > 0 {
		s.q("gc/phase sequences seen", keys(shapes))
		for k, v := range map[string][]float64{"live at start": live, "live after": after, "next goal": goal} {
			s.n("gc/median "+k, quant(v, .5), .15, 65536)
		}
		s.n("gc/mean trigger over goal", sum.liveAt/n, .1, .05)
		for _, m := range []string{"GC (dedicated)", "GC (fractional)", "GC (idle)"} {
			s.n("gc/worker "+m+" share of P-time in mark", sum.workers[m]/(sum.dur*math.Max(1, procs)), .4, .1)
			s.n("gc/worker "+m+" starts per cycle", float64(sum.starts[m])/n, .5, 1.5)
		}
		s.n("gc/mark time share of wall", sum.dur/wall, .5, .05)
		s.n("gc/assist share of user run time", assistT/math.Max(1, userRun), .5, .02)
		s.n("gc/assists per cycle", float64(assistN)/n, .7, 3)
		s.n("gc/bytes swept by sweep ranges per cycle", swept/n, .6, 1<<17)
		s.n("gc/bytes reclaimed per cycle", reclaim/n, .6, 1<<17)
		s.n("gc/sweep ranges per cycle", float64(sweepN)/n, .7, 4)
	}
	for k, l := range stw {
		if strings.Contains(k, "trace") {
			continue
		}
		s.e("stw/"+k+" count", len(l))
		s.n("stw/"+k+" p50 ns", quant(l, .5), 3, 50000)
		s.n("stw/"+k+" max ns", quant(l, 1), 10, 500000)
	}
	// heap
	s.n("heap/goal updates", float64(len(heapGoal)), .2, 2)
	s.n("heap/alloc updates", float64(len(heapAlloc)), .2, 4)
	s.n("heap/alloc peak", quant(heapAlloc, 1), .25, 1<<17)
	s.n("heap/goal last", curGoal, .25, 1<<17)
	s.n("heap/goal max", quant(heapGoal, 1), .25, 1<<17)
	rt := 0.0
	for _, v := range procRun {
		rt += v
	}
	s.n("procs/utilisation", rt/math.Max(1, wall*math.Max(1, procs)), .3, .15)
	s.i("wall ns", wall)
	s.i("events", float64(len(evs)))
	s.i("cpu samples", float64(samples))
	return s, nil
}

// Phase sequence without the worker labels: at GOMAXPROCS=1 a whole cycle may be marked by
// assists alone, so the presence of a worker is timing, not behaviour.
func stwOnly(p []string) (r []string) {
	for _, x := range p {
		if !strings.HasPrefix(x, "GC (") {
			r = append(r, x)
		}
	}
	return
}
