// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// mklockrank reads the partial order of the runtime's locks (tools/lockrank.txt says in which
// language) and writes runtime/lockrank.h: the ranks in an order that agrees with it, their names,
// and for each rank the ranks that may be held when it is taken.
// Ports mklockrank.go and internal/dag of Go 1.26.8; the numbers come out as Go's do.
//
//	mklockrank [-dot] lockrank.txt >lockrank.h
//
// PORT: the ranks with self-cycles are part of the text (operator <>).  The graph is a bit matrix
// over at most MAXNODE names, which is what keeps this file free of containers.
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAXNODE = 256,
	MAXNAME = 64,
	MAXRULE = 256,
	MAXLIST = 64,
};

// A list of names, as far as one side of a rule goes.
typedef struct list {
	int n;
	char name[MAXLIST][MAXNAME];
} list;

// A graph edge[a][b] says b < a: b may be held when a is taken.
static char node[MAXNODE][MAXNAME];
static int nnode;
static bool edge[MAXNODE][MAXNODE];
static bool cyclic[MAXNODE];

static int topo[MAXNODE];
static int ntopo;
static bool mark[MAXNODE];

static struct {
	list less;
	list def;
} disallowed[MAXRULE];
static int ndisallowed;

static const char *file;
static int lineno = 1;
static int nerrors;
static char *text;
static char word[MAXNAME];

// errorf reports an error in the order itself and goes on.
__attribute__((format(printf, 1, 2))) static void
errorf(const char *fmt, ...) {
	va_list ap;
	va_start(ap, fmt);
	fprintf(stderr, "%s:%d: ", file, lineno);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	nerrors++;
}

// syntax_error reports text that is not in the language and ends the program.
static _Noreturn void
syntax_error(const char *msg) {
	errorf("syntax error: %s near %s", msg, word);
	exit(1);
}

static int
lookup(const char *name) {
	for (int i = 0; i < nnode; i++) {
		if (strcmp(node[i], name) == 0)
			return i;
	}
	return -1;
}

// addNode defines a name; -1 if it had been defined.
static int
addNode(const char *name) {
	if (lookup(name) >= 0)
		return -1;
	if (nnode == MAXNODE)
		syntax_error("too many names");
	strcpy(node[nnode], name);
	return nnode++;
}

// A token: one of ; , < ! (for !<) > (for <>), w for a word, 0 for the end.
static int
nextToken(void) {
	for (;;) {
		switch (*text) {
		case 0:
			return 0;
		case ';':
		case ',':
			return *text++;
		case '<':
			text++;
			if (*text == '>') {
				text++;
				return '>';
			}
			return '<';
		case '!':
			if (text[1] != '<')
				syntax_error("unexpected token !");
			text += 2;
			return '!';
		case '#':
			text += strcspn(text, "\n");
			continue;
		case '\n':
			lineno++;
			text++;
			continue;
		case ' ':
		case '\t':
			text++;
			continue;
		default: {
			size_t n = strcspn(text, "!;,<># \n\t");
			if (n == 0 || n >= MAXNAME)
				syntax_error("bad name");
			memcpy(word, text, n);
			word[n] = 0;
			text += n;
			return 'w';
		}
		}
	}
}

// nextList reads a list of names separated by commas and returns the token after it.  At the end
// of the text it returns 0 and an empty list.
static int
nextList(list *l) {
	l->n = 0;
	for (;;) {
		int tok = nextToken();
		if (tok == 0 && l->n == 0)
			return 0;
		if (tok != 'w')
			syntax_error("bad list syntax");
		if (l->n == MAXLIST)
			syntax_error("list too long");
		strcpy(l->name[l->n++], word);
		tok = nextToken();
		if (tok != ',')
			return tok;
	}
}

// define adds the names of def, each of them after those of less.
static void
define(const list *less, const list *def) {
	for (int i = 0; i < def->n; i++) {
		if (strcmp(def->name[i], "NONE") == 0) {
			errorf("NONE cannot be a predecessor");
			continue;
		}
		int d = addNode(def->name[i]);
		if (d < 0) {
			errorf("multiple definitions for %s", def->name[i]);
			continue;
		}
		for (int j = 0; j < less->n; j++) {
			if (strcmp(less->name[j], "NONE") == 0)
				continue;
			int l = lookup(less->name[j]);
			if (l < 0)
				errorf("use of %s before its definition", less->name[j]);
			else
				edge[d][l] = true;
		}
	}
}

// parse reads all rules, then completes the transitive closure and checks the negative ones.
static void
parse(void) {
	static list prev, cur;
	int op = 0;
	bool chain = false;
	for (;;) {
		int tok = nextList(&cur);
		if (tok == 0 && cur.n == 0) {
			if (chain)
				syntax_error("unexpected EOF");
			break;
		}
		if (chain && op == '!') {
			if (ndisallowed == MAXRULE)
				syntax_error("too many negative rules");
			disallowed[ndisallowed].less = prev;
			disallowed[ndisallowed++].def = cur;
		} else if (chain) {
			define(&prev, &cur);
		}
		if (tok == '>') {
			for (int i = 0; i < cur.n; i++) {
				int c = lookup(cur.name[i]);
				if (c < 0)
					errorf("use of %s before its definition", cur.name[i]);
				else
					cyclic[c] = true;
			}
			tok = nextToken();
			if (tok != ';')
				syntax_error("missing ;");
		}
		prev = cur;
		if (tok == ';') {
			chain = false;
			continue;
		}
		if (tok != '<' && tok != '!')
			syntax_error("missing <");
		op = tok;
		chain = true;
	}

	for (int k = 0; k < nnode; k++) {
		for (int i = 0; i < nnode; i++) {
			for (int j = 0; j < nnode; j++) {
				if (i == k || k == j || !edge[i][k] || !edge[k][j])
					continue;
				if (i == j)
					errorf("graph cycle: %s < %s < %s", node[j], node[k],
						node[i]);
				edge[i][j] = true;
			}
		}
	}
	for (int r = 0; r < ndisallowed; r++) {
		for (int i = 0; i < disallowed[r].less.n; i++) {
			for (int j = 0; j < disallowed[r].def.n; j++) {
				int l = lookup(disallowed[r].less.name[i]);
				int d = lookup(disallowed[r].def.name[j]);
				if (l >= 0 && d >= 0 && edge[d][l])
					errorf("graph edge assertion failed: %s !< %s", node[l],
						node[d]);
			}
		}
	}
}

// visit puts the predecessors of n into topo and then n.
static void
visit(int n) {
	if (mark[n])
		return;
	for (int to = 0; to < nnode; to++) {
		if (edge[n][to])
			visit(to);
	}
	mark[n] = true;
	topo[ntopo++] = n;
}

// isPseudo says that a name is a level of the order and not a lock: it is all capitals.
static bool
isPseudo(const char *name) {
	for (; *name != 0; name++) {
		if (islower((unsigned char)*name))
			return false;
	}
	return true;
}

// cname is the C constant of a rank.
static const char *
cname(int n) {
	static char buf[4][MAXNAME + 16];
	static int next;
	char *b = buf[next++ % 4];
	snprintf(
		b, sizeof(buf[0]), "lockRank%c%s", toupper((unsigned char)node[n][0]), node[n] + 1);
	return b;
}

static void
generateC(void) {
	printf("// Code generated by tools/mklockrank from tools/lockrank.txt; DO NOT EDIT.\n\n");
	printf("// Copyright 2026 The gort authors and the Go authors. All rights reserved.\n");
	printf("// Use of this source code is governed by a BSD-style\n");
	printf("// license that can be found in the LICENSE file.\n\n");
	printf("#ifndef GORT_RUNTIME_LOCKRANK_H\n#define GORT_RUNTIME_LOCKRANK_H\n\n");
	printf("// The ranks of all locks that are not leaves, in rank order: a lower rank is "
	       "taken before\n");
	printf("// a higher one, and the two stand in lockPartialOrder as well.\n");
	printf("typedef enum lockRank {\n\tlockRankUnknown = 0,\n\n");
	for (int i = 0; i < ntopo; i++) {
		if (isPseudo(node[topo[i]]))
			printf("\t// %s\n", node[topo[i]]);
		else
			printf("\t%s,\n", cname(topo[i]));
	}
	printf("\tlockRankCount,\n\n");
	printf("\t// the rank of a lock that has none of its own\n");
	printf("\tlockRankLeafRank = 1000,\n} lockRank;\n\n");
	printf("// What follows is for lockrank.c and the tests.\n");
	printf("#ifdef LOCKRANK_TABLES\n\n");
	printf("static const char *const lockNames[lockRankCount] = {\n");
	for (int i = 0; i < ntopo; i++) {
		if (!isPseudo(node[topo[i]]))
			printf("\t[%s] = \"%s\",\n", cname(topo[i]), node[topo[i]]);
	}
	printf("};\n\n");
	printf("// lockPartialOrder[x][y] is not 0 if y may be held when x is taken: the "
	       "transitive closure\n");
	printf("// of the graph.  Ranks of which several may be held at once list themselves.\n");
	printf("static const unsigned char lockPartialOrder[lockRankCount][lockRankCount] = {\n");
	for (int i = 0; i < ntopo; i++) {
		int n = topo[i];
		if (isPseudo(node[n]))
			continue;
		bool any = false;
		for (int to = 0; to <= nnode; to++) {
			int y = to == nnode ? n : to;
			bool held = to == nnode ? cyclic[n] : edge[n][to];
			if (!held || isPseudo(node[y]))
				continue;
			if (!any)
				printf("\t[%s] = {\n", cname(n));
			any = true;
			printf("\t\t[%s] = 1,\n", cname(y));
		}
		if (any)
			printf("\t},\n");
	}
	printf("};\n\n#endif\n\n#endif\n");
}

// generateDot writes the transitive reduction for graphviz, from the locks taken first downwards.
static void
generateDot(void) {
	printf("digraph g {\n");
	for (int i = 0; i < nnode; i++)
		printf("\"%s\";\n", node[i]);
	for (int i = 0; i < nnode; i++) {
		if (cyclic[i])
			printf("\"%s\" -> \"%s\";\n", node[i], node[i]);
		for (int j = 0; j < nnode; j++) {
			bool direct = edge[j][i];
			for (int k = 0; k < nnode && direct; k++) {
				if (edge[j][k] && edge[k][i])
					direct = false;
			}
			if (direct)
				printf("\"%s\" -> \"%s\";\n", node[i], node[j]);
		}
	}
	printf("}\n");
}

int
main(int argc, char **argv) {
	bool dot = argc > 1 && strcmp(argv[1], "-dot") == 0;
	if (argc != 2 + dot) {
		fprintf(stderr, "usage: mklockrank [-dot] lockrank.txt\n");
		return 2;
	}
	file = argv[1 + dot];
	FILE *f = fopen(file, "r");
	if (f == NULL) {
		perror(file);
		return 1;
	}
	static char buf[1 << 20];
	size_t n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = 0;
	fclose(f);
	text = buf;

	parse();
	if (nerrors > 0)
		return 1;
	for (int i = 0; i < nnode; i++)
		visit(i);
	if (dot)
		generateDot();
	else
		generateC();
	return fflush(stdout) != 0;
}
