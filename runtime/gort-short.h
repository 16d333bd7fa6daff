// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Short names for gort.h's macros, for programs that want them: include it last.  All but chan_range
// look like functions; C programs only.
#ifndef GORT_SHORT_H
#define GORT_SHORT_H

#include "gort.h"

// clang-format off
#define go(...) gort_go(__VA_ARGS__)
#define defer(...) gort_defer(__VA_ARGS__)
#define chan(T) gort_chan(T)
#define chan_make(T, n) gort_chan_make(T, n)
#define chan_send(c, ...) gort_chan_send(c, __VA_ARGS__)
#define chan_recv(c) gort_chan_recv(c)
#define chan_recv_ok(c, p) gort_chan_recv_ok(c, p)
#define chan_try_send(c, ...) gort_chan_try_send(c, __VA_ARGS__)
#define chan_try_recv(c, p, okp) gort_chan_try_recv(c, p, okp)
#define chan_range(v, c) gort_chan_range(v, c)
#define chan_close(c) gort_chan_close(c)
#define new(T) gort_new(T)
#define new_array(T, n) gort_new_array(T, n)
#define new_with(T, ...) gort_new_with(T, __VA_ARGS__)
#define store(lvalue, ...) gort_store(lvalue, __VA_ARGS__)
#define select_on(...) gort_select(__VA_ARGS__)
#define on_recv(c, p) gort_on_recv(c, p)
#define on_recv_ok(c, p, okp) gort_on_recv_ok(c, p, okp)
#define on_send(c, ...) gort_on_send(c, __VA_ARGS__)
#define on_timeout(ns) gort_on_timeout(ns)
#define on_default() gort_on_default
// clang-format on

#endif
