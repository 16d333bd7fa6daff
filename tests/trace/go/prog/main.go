// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// prog writes a small trace of Go's runtime that has a bit of everything: goroutines, channels, timers,
// the network, system calls, collections, coroutines, tasks, regions and logs with odd texts, and CPU
// samples.
//
//	prog [SEED] >TRACE
package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"sync"
	"time"
)

var texts = []string{"", "plain", "tab\tline\nquote\"back\\slash", "\x00\x01\x7f\xff\xfe", "größe 寸法 размер",
	"\U0001f600 and \u200b \u00ad \u2028 \ufeff", "\xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80", "%d %s"}

func spin(d time.Duration) (n int) {
	for t := time.Now(); time.Since(t) < d; {
		for i := range 1000 {
			n += i
		}
	}
	return n
}

var keep [][]byte

func work(ctx context.Context, r *rand.Rand) {
	switch r.Intn(9) {
	case 0:
		c := make(chan int)
		go func() {
			for i := range 5 {
				c <- i
			}
			close(c)
		}()
		for range c {
		}
	case 1:
		time.Sleep(time.Duration(r.Intn(2000)) * time.Microsecond)
	case 2:
		keep = append(keep[:0], make([]byte, r.Intn(1<<20)))
		runtime.GC()
	case 3:
		next, stop := iter.Pull(func(yield func(int) bool) {
			for i := 0; yield(i); i++ {
			}
		})
		next()
		next()
		stop()
	case 4:
		ctx, task := trace.NewTask(ctx, texts[r.Intn(len(texts))])
		trace.WithRegion(ctx, texts[r.Intn(len(texts))], func() {
			trace.Log(ctx, texts[r.Intn(len(texts))], texts[r.Intn(len(texts))])
			defer trace.StartRegion(ctx, "inner").End()
		})
		task.End()
	case 5:
		f, _ := os.Open(os.DevNull)
		f.Read(make([]byte, 10))
		f.Close()
	case 6:
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return
		}
		go func() {
			c, _ := l.Accept()
			c.Write([]byte("hello"))
			c.Close()
			l.Close()
		}()
		if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
			c.Read(make([]byte, 10))
			c.Close()
		}
	case 7:
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				mu.Lock()
				runtime.Gosched()
				mu.Unlock()
			}()
		}
		wg.Wait()
	case 8:
		spin(15 * time.Millisecond)
	}
}

func main() {
	seed := int64(1)
	if len(os.Args) > 1 {
		seed, _ = strconv.ParseInt(os.Args[1], 10, 64)
	}
	r := rand.New(rand.NewSource(seed))
	null, _ := os.Create(os.DevNull)
	pprof.StartCPUProfile(null)
	if err := trace.Start(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var wg sync.WaitGroup
	for range 1 + r.Intn(3) {
		seed := r.Int63()
		wg.Add(1)
		go func() {
			defer wg.Done()
			r := rand.New(rand.NewSource(seed))
			for range 3 + r.Intn(10) {
				work(context.Background(), r)
			}
		}()
	}
	wg.Wait()
	trace.Stop()
	pprof.StopCPUProfile()
}
