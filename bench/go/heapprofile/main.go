// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The twin of tests/prog/profiles heap: the same objects from functions of the same names.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

type cell struct {
	next *cell
	data [1016]byte
}

var kept *cell
var sink []byte

//go:noinline
func keep() {
	kept = &cell{next: kept}
}

//go:noinline
func drop() {
	sink = make([]byte, 1024)
}

//go:noinline
func heap() {
	for range 100000 {
		keep()
		drop()
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(os.Stderr, "HeapAlloc %d TotalAlloc %d HeapObjects %d Mallocs %d BuckHashSys %d\n",
		m.HeapAlloc, m.TotalAlloc, m.HeapObjects, m.Mallocs, m.BuckHashSys)
}

func main() {
	heap()
	f, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	pprof.Lookup("heap").WriteTo(f, 0)
	f.Close()
}
