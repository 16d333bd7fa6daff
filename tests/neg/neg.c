// Each N from 1 on is a misuse that must be an error under plain cc; N=0 must compile.
#include <gort.h>

struct s3 {
	long a, b, c;
};
typedef struct node {
	struct node *next;
	long key;
	int a[4];
} node;
#if N == 11
GORT_TYPE(node, key);
#elif N == 12
GORT_TYPE(node, a);
#elif N == 13
GORT_TYPE(node, nosuch);
#elif N == 23
typedef struct __attribute__((packed)) packed {
	void *p;
	char c;
} packed;
GORT_TYPE(packed, p);
GORT_TYPE(node, next);
#else
GORT_TYPE(node, next);
#endif

void t(void);
static void
f(int a, const char *s, double d)
{
	(void)a, (void)s, (void)d;
}
static void
g(gort_chan(long) c)
{
	(void)c;
}
static void
h(struct s3 s)
{
	(void)s;
}
static struct s3
r(void)
{
	return (struct s3){0, 0, 0};
}
static void
seven(int a, int b, int c, int d, int e, int f_, int g_)
{
	(void)a, (void)b, (void)c, (void)d, (void)e, (void)f_, (void)g_;
}
static void
ld(long double x)
{
	(void)x;
}
static int
puts_(const char *s)
{
	return s != 0;
}
static void
nil_(void)
{
}

void
t(void)
{
	gort_chan(int) c = gort_chan_make(int, 0);
	gort_chan(char) other = gort_chan_make(char, 0);
	long l = 0;
	int i = 0;
	node *n = gort_new(node);
	(void)l, (void)i, (void)c, (void)f, (void)g, (void)h, (void)r, (void)seven, (void)n, (void)other;
	(void)puts_, (void)nil_, (void)ld;
#if N == 0
	static char longtext[100];
	gort_go(f, 1, longtext, 2.5);
	gort_defer(puts_, "a string literal of more than sixteen bytes");
	gort_go(nil_);
	gort_go(f, 1, "ok", 2);
	gort_chan_send(c, 3);
	gort_chan_recv_ok(c, &i);
	(void)gort_select(gort_on_recv(c, &i), gort_on_recv(c, NULL), gort_on_send(c, 1), gort_on_default);
	gort_store(n->next, n);
	gort_copy(n, n->next);
#elif N == 1
	gort_go(f, "x", "y", 1.0);
#elif N == 2
	gort_go(f, 1, "y");
#elif N == 3
	gort_go(g, c);
#elif N == 4
	gort_chan_send(c, "str");
#elif N == 5
	gort_chan_recv_ok(c, &l);
#elif N == 6
	(void)gort_select(gort_on_recv(c, &l));
#elif N == 7
	gort_go(seven, 1, 2, 3, 4, 5, 6, 7);
#elif N == 8
	gort_go(r);
#elif N == 9
	struct s3 v = {0, 0, 0};
	gort_go(h, v);
#elif N == 10
	gort_chan_range(x, c) {
		const char *p = x;
		(void)p;
	}
#elif N == 14
	gort_store(n->next, &l);
#elif N == 15
	gort_store(n->key, 3);
#elif N == 16
	gort_go(ld, 1.0L);
#elif N == 17
	c = other;
#elif N == 18
	gort_defer(f, 1, 2, 3.0);
#elif N == 19
	gort_copy(n, &l);
#elif N == 20
	(void)gort_new_with(node, .next = 5L);
#elif N == 21
	gort_chan_send(n, 1);
#elif N == 22
	gort_go(f, 1, "a", 2.0, 3);
#elif N == 24
	node *const fixed = 0;
	gort_store(fixed, n);
#elif N == 25
	gort_chan_close(&i);
#elif N == 26
	gort_zero(&i);
#elif N == 27
	(void)gort_select(gort_on_recv(&n, &n));
#endif
}
