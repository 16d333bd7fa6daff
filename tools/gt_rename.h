// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The -rename option: regular expressions that turn the function names of a trace into others, so
// that a program can be compared with a twin that calls its functions differently.
#ifndef TOOLS_GT_RENAME_H
#define TOOLS_GT_RENAME_H

#include "tools/gt_atom.h"

// gt_rename_add takes one 're=replacement' in.  It returns false, and says why in err, if it is none.
bool gt_rename_add(const char *spec, gt_buf *err);

// gt_rename returns the name with all the expressions applied, in the order they were given.
gt_atom gt_rename(const char *name);

#endif // TOOLS_GT_RENAME_H
