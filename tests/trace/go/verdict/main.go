// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// goverdict reads traces with Go's own reader, for the comparison with gort-trace's.
//
//	goverdict verdicts FILE...	one line for each file: number of events, hash of the dump, verdict
//	goverdict pack FILE		the same for the traces of a pack (tests/trace/fuzz.c writes them)
//	goverdict dump FILE		all events, then the error to standard error
//	goverdict binary TEST OUT	turn a test of Go's reader, which is text, into a trace
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"os"
	"strings"

	"goverdict/trace"
	"goverdict/trace/raw"
	"goverdict/trace/version"
)

// read reads a whole trace; it calls event with the text of each event.
func read(r io.Reader, event func(string)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	tr, err := trace.NewReader(r)
	if err != nil {
		return err
	}
	for {
		ev, err := tr.ReadEvent()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		event(ev.String())
	}
}

// verdict prints the line of one trace.
func verdict(w io.Writer, name string, r io.Reader) {
	var h hash.Hash64 = fnv.New64a()
	n := 0
	err := read(r, func(s string) {
		n++
		io.WriteString(h, s)
		io.WriteString(h, "\n")
	})
	text := "ok"
	if err != nil {
		text = err.Error()
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			text = text[:i]
		}
	}
	fmt.Fprintf(w, "%s %d %016x %q\n", name, n, h.Sum64(), text)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "goverdict:", err)
		os.Exit(2)
	}
}

// pack reads traces that stand one after the other, each after its length (4 bytes, little endian).
func pack(name string) {
	data, err := os.ReadFile(name)
	fail(err)
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	for i := 0; len(data) >= 4; i++ {
		n := binary.LittleEndian.Uint32(data)
		if uint64(n) > uint64(len(data)-4) {
			fail(errors.New("pack is cut off"))
		}
		verdict(w, fmt.Sprint(i), bytes.NewReader(data[4:4+n]))
		data = data[4+n:]
	}
}

// binaryOf writes the trace section of a test (a txtar archive) in binary form.
func binaryOf(in, out string) {
	data, err := os.ReadFile(in)
	fail(err)
	_, text, ok := bytes.Cut(data, []byte("-- trace --\n"))
	if !ok {
		text = data
	}
	r, err := raw.NewTextReader(bytes.NewReader(text))
	fail(err)
	f, err := os.Create(out)
	fail(err)
	w, err := raw.NewWriter(f, version.Version(r.Version()))
	fail(err)
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			break
		}
		fail(err)
		fail(w.WriteEvent(ev))
	}
	fail(f.Close())
}

func main() {
	args := os.Args
	switch {
	case len(args) >= 3 && args[1] == "verdicts":
		for _, name := range args[2:] {
			f, err := os.Open(name)
			fail(err)
			verdict(os.Stdout, name, f)
			f.Close()
		}
	case len(args) == 3 && args[1] == "pack":
		pack(args[2])
	case len(args) == 3 && args[1] == "dump":
		f, err := os.Open(args[2])
		fail(err)
		w := bufio.NewWriter(os.Stdout)
		err = read(f, func(s string) { fmt.Fprintln(w, s) })
		w.Flush()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(args) == 4 && args[1] == "binary":
		binaryOf(args[2], args[3])
	default:
		fmt.Fprintln(os.Stderr, "usage: goverdict verdicts FILE... | pack FILE | dump FILE | binary TEST OUT")
		os.Exit(2)
	}
}
