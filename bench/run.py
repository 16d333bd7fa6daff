#!/usr/bin/env python3
# Copyright 2026 The gort authors and the Go authors. All rights reserved.
# Use of this source code is governed by a BSD-style
# license that can be found in the LICENSE file.
"""Runs the workloads of jobs.txt in C and, where Go is installed, in Go, interleaved, and prints a
table of ratios (C / Go: median and minimum). Fails if the two sides' results differ.

usage: run.py [-size quick|full] [-n REPS] [-procs 1|2] [-traced] [-out FILE.jsonl] [REGEX]
Run it in the build tree (make bench does: make bench BENCHFLAGS='-n 5 pingpong')."""
import argparse, json, os, re, statistics, subprocess, sys, time

src = os.path.dirname(os.path.abspath(__file__))
cwd = os.getcwd()
# Results that must be equal on both sides. words and joined are of index.
RESULTS = ['ops', 'sum', 'check', 'last', 'who', 'files', 'failed', 'bytes', 'tokens', 'words', 'postings', 'joined']

def die(*a):
    print('run.py:', *a, file=sys.stderr)
    sys.exit(2)

def busy():
    f = [int(x) for x in open('/proc/stat').readline().split()[1:9]]
    return sum(f) - f[3] - f[4] - f[7]

def run(path, args, procs, env={}):
    b0, c0, t0 = busy(), sum(os.times()[2:4]), time.time()
    p = subprocess.run([path] + args.split(), env=dict(os.environ, GOMAXPROCS=procs, **env), capture_output=True,
                       text=True, timeout=600)
    wall, own = time.time() - t0, sum(os.times()[2:4]) - c0
    if p.returncode != 0:
        raise RuntimeError('status %d: %s' % (p.returncode, p.stderr.strip()[-300:]))
    j = json.loads(p.stdout.strip().split('\n')[-1])
    j['other'] = round(max(0, (busy() - b0) / os.sysconf('SC_CLK_TCK') - own) / max(wall, 1e-3), 2)
    return j

def nsop(j, job):
    # linkedheap is about one collection; parked about waking
    return j['ns_obj_min'] if job.startswith('linkedheap') else j['ns_op']

def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('-size', choices=['quick', 'full'], default='quick')
    ap.add_argument('-n', type=int, default=3, help='repetitions (3)')
    ap.add_argument('-procs', choices=['1', '2', '4', '8'], help='only this GOMAXPROCS')
    ap.add_argument('-traced', action='store_true', help='also with an execution trace, and what that costs')
    ap.add_argument('-out', help='append every run as a JSON line')
    ap.add_argument('regex', nargs='?', default='.', help='which jobs')
    o = ap.parse_args()
    if o.n < 1:
        die('-n must be at least 1, not', o.n)
    try:
        only = re.compile(o.regex)
    except re.error as e:
        die('bad regular expression %r: %s' % (o.regex, e))
    go, gobin = os.environ.get('GOCMD', 'go'), os.path.join(cwd, 'bench', 'gobin')
    have_go = go not in ('no', '')
    if have_go:
        os.makedirs(gobin, exist_ok=True)
        try:
            subprocess.run([go, 'build', '-o', gobin + '/', './...'], cwd=os.path.join(src, 'go'), check=True)
        except (OSError, subprocess.CalledProcessError) as e:
            print('run.py: no Go side (%s)' % e, file=sys.stderr)
            have_go = False
    impls = {'c': lambda w: os.path.join(cwd, 'bench', w)}
    if have_go:
        impls['go'] = lambda w: os.path.join(gobin, w)
    out = open(o.out, 'a') if o.out else None
    bad, rows = 0, 0
    print('%-58s %2s %10s %10s  %6s %6s  %s' % ('workload', 'P', 'C ns/op', 'Go ns/op', 'median', 'min', 'more'))
    for l in open(os.path.join(src, 'jobs.txt')):
        if l.startswith('#') or not l.strip():
            continue
        w, quick, full, procs = [x.strip() for x in l.split('|')]
        args = quick if o.size == 'quick' else full
        if not only.search(w + ' ' + args) or not os.path.exists(impls['c'](w)):
            continue
        for p in procs.split():
            if o.procs and p != o.procs:
                continue
            sides = [(k, path, {}) for k, path in impls.items()]
            if o.traced:
                sides += [(k + ' traced', path, {'GORT_TRACE': os.devnull}) for k, path in impls.items()]
            got = {k: [] for k, _, _ in sides}
            for _ in range(o.n):
                for k, path, env in sides:
                    try:
                        j = run(path(w), args, p, env)
                    except Exception as e:
                        print('%s %s P%s: %s: %s' % (w, args, p, k, e))
                        bad += 1
                        continue
                    j.update(impl=k, job=w + ' ' + args, procs=int(p))
                    got[k].append(j)
                    if out:
                        out.write(json.dumps(j) + '\n')
                        out.flush()
            rows += 1
            v = {k: [nsop(j, w) for j in js] for k, js in got.items() if js}
            if 'c' not in v:
                continue
            cells = ['%.2f' % statistics.median(v['c']), '-', '-', '-']
            more = ''
            if v.get('go'):
                cells[1] = '%.2f' % statistics.median(v['go'])
                cells[2] = '%.2f' % (statistics.median(v['c']) / statistics.median(v['go']))
                cells[3] = '%.2f' % (min(v['c']) / min(v['go']))
                for key in RESULTS:
                    r = {k: js[0].get(key) for k, js in got.items() if js}
                    if None not in r.values() and len(set(r.values())) > 1:
                        bad += 1
                        more += ' DIFFERENT %s: %s' % (key, r)
                for key in ('gc', 'gc_pause_max_ns', 'rss_bytes_each', 'wake_exit_ns_each'):
                    r = [min(j.get(key, 0) for j in got[k]) for k in ('c', 'go')]
                    if any(r) and (key != 'gc_pause_max_ns' or 'lat' in got['c'][0]):
                        more += ' %s %g/%g' % (key.replace('gc_pause_max_ns', 'stw').replace('_each', ''), *r)
                if 'lat' in got['c'][0]:
                    for q in ('p999', 'max'):
                        more += ' %s %d/%d' % (q, *[statistics.median(j['lat'][q] for j in got[k]) for k in ('c', 'go')])
            if o.traced:
                more += ' traced' + ''.join(' %s x%.2f' % (
                    k, statistics.median(v[k + ' traced']) / statistics.median(v[k])) for k in impls if k + ' traced' in v)
            print('%-58s %2s %10s %10s  %6s %6s %s' % (w + ' ' + args, p, *cells, more), flush=True)
    if rows == 0:
        die('no job matches %r, or nothing is built here (run it in the build tree)' % o.regex)
    sys.exit(1 if bad else 0)

main()
