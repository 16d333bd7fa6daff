// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Programs that end as Go programs end: fatal CASE.  tests/prog.sh knows what each has to print, which
// is what a Go program of the same functions prints.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/gort.h"

typedef gort_chan(int) chan;

typedef struct node {
	struct node *next;
	int v;
} node;
GORT_TYPE(node, next);

// Never inlined: they are to be seen in stack traces.
#define SHOWN __attribute__((noinline))

static volatile int sink;
static gort_mutex mu;
static gort_rwmutex rw;
static gort_waitgroup wg;

static SHOWN void
receiver(chan c) {
	sink = gort_chan_recv(c);
	sink++;
}

static SHOWN void
sender(chan c) {
	gort_chan_send(c, 1);
	sink++;
}

static SHOWN void
selector(chan c, chan d) {
	int v;
	sink = gort_select(gort_on_recv(c, &v), gort_on_send(d, 2));
	sink++;
}

static SHOWN void
locker(void) {
	gort_mutex_lock(&mu);
	sink++;
}

static SHOWN void
rlocker(void) {
	gort_rwmutex_rlock(&rw);
	sink++;
}

static SHOWN void
waiter(void) {
	gort_waitgroup_wait(&wg);
	sink++;
}

static SHOWN void
nilreceiver(void) {
	sink = gort_chan_recv((chan)NULL);
	sink++;
}

static SHOWN void
nilsender(void) {
	gort_chan_send((chan)NULL, 1);
	sink++;
}

static SHOWN void
noselect(void) {
	sink = gort_selectgo(NULL, 0);
	sink++;
}

static SHOWN void
spawner(void) {
	gort_go(receiver, gort_chan_make(int, 0));
	gort_go(sender, gort_chan_make(int, 0));
	gort_go(selector, gort_chan_make(int, 0), gort_chan_make(int, 0));
	gort_go(locker);
	gort_go(rlocker);
	gort_go(waiter);
	gort_go(nilreceiver);
	gort_go(nilsender);
	gort_go(noselect);
}

static void
deadlock_all(void) {
	gort_mutex_lock(&mu);
	gort_rwmutex_lock(&rw);
	gort_waitgroup_add(&wg, 1);
	spawner();
	receiver(gort_chan_make(int, 0));
}

static void
deadlock_main(void) {
	receiver(gort_chan_make(int, 0));
}

static void
sleep_sender(chan c) {
	gort_sleep(20 * GORT_MS);
	gort_chan_send(c, 7);
}

// A goroutine sleeps: no deadlock.
static void
sleeping(void) {
	chan c = gort_chan_make(int, 0);
	gort_go(sleep_sender, c);
	printf("%d\n", gort_chan_recv(c));
}

static void
timer_send(void *c) {
	gort_chan_send((chan)c, 8);
}

// A timer is pending: no deadlock.
static void
timer(void) {
	chan c = gort_chan_make(int, 0);
	gort_after_func(20 * GORT_MS, timer_send, c);
	printf("%d\n", gort_chan_recv(c));
}

// A stopped timer is no hope.
static void
timer_stopped(void) {
	chan c = gort_chan_make(int, 0);
	// A stopped timer in the heap of another P holds up the detector until its time has come, in Go, too.
	gort_timer *t = gort_after_func(2 * GORT_S, timer_send, c);
	gort_timer_stop(t);
	receiver(c);
}

static intptr_t
blocking_read(void *arg) {
	char b;
	return read(*(int *)arg, &b, 1);
}

static intptr_t
blocking_wait(void *arg) {
	struct timespec ts = {0, 30 * 1000 * 1000};
	while (nanosleep(&ts, &ts) != 0)
		;
	return write(*(int *)arg, "x", 1);
}

static void
blocked_writer(int *fd, chan c) {
	gort_blocking(blocking_wait, fd);
	gort_chan_send(c, 9);
}

// A goroutine in a blocking call: no deadlock.
static void
blocking(void) {
	static int fd[2];
	if (pipe(fd) != 0)
		exit(9);
	chan c = gort_chan_make(int, 0);
	gort_go(blocked_writer, &fd[1], c);
	int v = gort_chan_recv(c);
	printf("%d %d\n", v, (int)gort_blocking(blocking_read, &fd[0]));
}

static void
send_closed(void) {
	chan c = gort_chan_make(int, 1);
	gort_chan_close(c);
	sender(c);
}

static void
select_closed(void) {
	chan c = gort_chan_make(int, 1);
	chan d = gort_chan_make(int, 1);
	gort_chan_close(d);
	selector(c, d);
}

static void
close_in_recv(chan c) {
	gort_chan_close(c);
}

// A sender that waits when the channel is closed.
static void
close_under_sender(void) {
	chan c = gort_chan_make(int, 0);
	gort_go(close_in_recv, c);
	sender(c);
}

static void
close_nil(void) {
	gort_chan_close((chan)NULL);
}

static void
close_closed(void) {
	chan c = gort_chan_make(int, 0);
	gort_chan_close(c);
	gort_chan_close(c);
}

static void
wg_negative(void) {
	gort_waitgroup_add(&wg, 1);
	gort_waitgroup_done(&wg);
	gort_waitgroup_done(&wg);
}

static void
unlock_mutex(void) {
	gort_mutex_unlock(&mu);
}

static void
unlock_rw(void) {
	gort_rwmutex_unlock(&rw);
}

static void
runlock_rw(void) {
	gort_rwmutex_runlock(&rw);
}

static void
say(const char *s) {
	fprintf(stderr, "%s\n", s);
}

static SHOWN void
panicker(int n) {
	gort_defer(say, "deferred in panicker");
	gort_panic("it broke: %d", n);
}

static void
panic_(void) {
	gort_defer(say, "deferred 1");
	gort_defer(say, "deferred 2");
	panicker(42);
}

static void
panic_goroutine(void) {
	chan c = gort_chan_make(int, 0);
	gort_go(panicker, 43);
	receiver(c);
}

static int
panic_write(void *ctx, const void *data, size_t n) {
	(void)ctx;
	(void)data;
	(void)n;
	gort_panic("no room");
}

// The goroutine that reads the trace panics: nobody is left to read it to its end.
static void
panic_tracer(void) {
	gort_trace_start_writer(panic_write, NULL);
	receiver(gort_chan_make(int, 0));
}

static void
panic_again(void) {
	gort_panic("second");
}

static void
panic_in_defer(void) {
	gort_defer(panic_again);
	gort_panic("first\nof two lines");
}

static void
goexit_main(void) {
	gort_defer(say, "deferred");
	gort_goexit();
}

static SHOWN void
goexiter_wait(chan c) {
	receiver(c);
	sink++;
}

static void
goexit_main_others(void) {
	gort_go(goexiter_wait, gort_chan_make(int, 0));
	gort_goexit();
}

static void
exit_from(int rc) {
	printf("from a goroutine");
	exit(rc);
}

// The main goroutine ends, others go on, and one of them ends the program.
static void
goexit_main_exit(void) {
	gort_go(exit_from, 3);
	gort_goexit();
}

static SHOWN int
recurse(int n) {
	char b[200];
	memset(b, n, sizeof b);
	sink = b[n & 127];
	int r = n < 1 << 30 ? recurse(n + 1) : 0;
	sink += b[3];
	return r + b[1];
}

static void
overflow(void) {
	sink = recurse(0);
}

static void
overflow_goroutine(void) {
	gort_go(recurse, 0);
	receiver(gort_chan_make(int, 0));
}

static SHOWN int
deref(volatile int *p) {
	return *p;
}

static void
nil_deref(void) {
	gort_defer(say, "deferred");
	sink = deref(NULL);
	sink++;
}

static void
nil_goroutine(void) {
	gort_go(deref, NULL);
	receiver(gort_chan_make(int, 0));
}

static void
bad_address(void) {
	sink = deref((int *)(uintptr_t)0x123456789000);
	sink++;
}

static void
nil_call(void) {
	void (*volatile f)(void) = NULL;
	f();
	sink++;
}

static SHOWN int
divide(int a, int b) {
	return a / b;
}

static void
divide_zero(void) {
	volatile int z = 0, one = 1;
	sink = divide(one, z);
	sink++;
}

static void
nil_go(void) {
	void (*volatile f)(void) = NULL;
	gort_go(f);
	receiver(gort_chan_make(int, 0));
}

static void
quit(void) {
	gort_go(receiver, gort_chan_make(int, 0));
	gort_yield();
	kill(getpid(), SIGQUIT);
	receiver(gort_chan_make(int, 0));
}

static SHOWN void
spin(chan c) {
	gort_chan_send(c, 1);
	for (;;)
		sink++;
}

static void
quit_spin(void) {
	chan c = gort_chan_make(int, 0);
	gort_go(spin, c);
	gort_chan_recv(c);
	kill(getpid(), SIGQUIT);
	for (;;)
		sink++;
}

static void
term(void) {
	kill(getpid(), SIGTERM);
	receiver(gort_chan_make(int, 0));
}

static void
abort_(void) {
	abort();
}

static void
procs(void) {
	printf("%d\n", gort_gomaxprocs(0));
}

static void
settings(void) {
	int gogc = gort_set_gc_percent(100);
	printf("%d %lld\n", gogc, (long long)gort_set_memory_limit(-1));
}

static void
many(void) {
	sink = gort_run(NULL, 0, NULL);
}

static void
chan_size(void) {
	gort_chan_make(int, (size_t)-1);
}

static void
array_size(void) {
	gort_newarray(GORT_TYPE_OF(node), (size_t)1 << 60);
}

static void
array_large(void) {
	gort_newarray(GORT_TYPE_OF(node), (size_t)1 << 43);
}

static void
alloc_large(void) {
	gort_alloc((size_t)1 << 45, GORT_NOSCAN);
}

static void
alloc_max(void) {
	volatile size_t size = (size_t)-1;
	gort_alloc(size, GORT_POINTERS);
}

// In pages, and those in chunks, it would be 0.
static void
alloc_wraps(void) {
	volatile size_t size = (size_t)-16384;
	gort_alloc(size, GORT_NOSCAN);
}

static void *
foreign_alloc(void *arg) {
	return gort_alloc(16, GORT_NOSCAN);
}

static void *
foreign_gc(void *arg) {
	gort_gc();
	return NULL;
}

static void *
foreign_yield(void *arg) {
	gort_yield();
	return NULL;
}

static void *
foreign_send(void *arg) {
	gort_chan_send((chan)arg, 1);
	return NULL;
}

static void *
foreign_go(void *arg) {
	gort_go(sender, (chan)arg);
	return NULL;
}

static void *
foreign_lock(void *arg) {
	gort_mutex_lock(&mu);
	return NULL;
}

static void *
foreign_sleep(void *arg) {
	gort_sleep(1);
	return NULL;
}

static void *
foreign_blocking(void *arg) {
	gort_blocking(blocking_read, NULL);
	return NULL;
}

static void *
foreign_panic(void *arg) {
	gort_panic("foreign");
	return NULL;
}

static void *
foreign_defer(void *arg) {
	gort_defer(say, "x");
	return NULL;
}

static void *
foreign_goexit(void *arg) {
	gort_goexit();
	return NULL;
}

static void *
foreign_select(void *arg) {
	gort_select(gort_on_timeout(1));
	return NULL;
}

static void *
foreign_procs(void *arg) {
	gort_gomaxprocs(2);
	return NULL;
}

static void *
foreign_stats(void *arg) {
	static gort_memstats m;
	gort_read_memstats(&m);
	return NULL;
}

static void *
foreign_goid(void *arg) {
	return (void *)(uintptr_t)gort_goid();
}

static void *
foreign_poll(void *arg) {
	gort_poll();
	return NULL;
}

static void *
foreign_recover(void *arg) {
	return (void *)(uintptr_t)gort_recover();
}

static void *
foreign_pcall(void *arg) {
	gort_pcall(timer_send, NULL);
	return NULL;
}

static void *
foreign_store(void *arg) {
	static node *n;
	gort_wb_slow((void **)&n, NULL);
	return NULL;
}

static void *
foreign_timer(void *arg) {
	gort_after_func(1, timer_send, arg);
	return NULL;
}

static void *
foreign_pool(void *arg) {
	static gort_pool p;
	return gort_pool_get(&p);
}

static void *
foreign_limit(void *arg) {
	gort_set_gc_percent(50);
	return NULL;
}

static void *
foreign_run(void *arg) {
	gort_run(NULL, 0, NULL);
	return NULL;
}

static void *
foreign_segv(void *arg) {
	sink = deref(NULL);
	return NULL;
}

// What a goroutine does, too.
static void *
foreign_errno(void *arg) {
	errno = 5;
	return NULL;
}

static const struct call {
	const char *name;
	void *(*f)(void *);
} calls[] = {
	{"alloc", foreign_alloc},
	{"gc", foreign_gc},
	{"yield", foreign_yield},
	{"send", foreign_send},
	{"go", foreign_go},
	{"lock", foreign_lock},
	{"sleep", foreign_sleep},
	{"blocking", foreign_blocking},
	{"panic", foreign_panic},
	{"defer", foreign_defer},
	{"goexit", foreign_goexit},
	{"select", foreign_select},
	{"procs", foreign_procs},
	{"stats", foreign_stats},
	{"goid", foreign_goid},
	{"poll", foreign_poll},
	{"recover", foreign_recover},
	{"pcall", foreign_pcall},
	{"store", foreign_store},
	{"timer", foreign_timer},
	{"pool", foreign_pool},
	{"limit", foreign_limit},
	{"run", foreign_run},
	{"segv", foreign_segv},
	{"errno", foreign_errno},
};
static const struct call *call;

static intptr_t
join(void *t) {
	return pthread_join(*(pthread_t *)t, NULL);
}

// A thread that the runtime did not make.
static void
foreign(void) {
	pthread_t t;
	chan c = gort_chan_make(int, 10);
	if (pthread_create(&t, NULL, call->f, c) != 0)
		exit(9);
	gort_blocking(join, &t);
	printf("survived\n");
}

static intptr_t
reap(void *pid) {
	int status;
	while (waitpid(*(pid_t *)pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

// The child of a fork.
static void
forked(void) {
	chan c = gort_chan_make(int, 10);
	pid_t pid = fork();
	if (pid == 0) {
		call->f(c);
		printf("survived\n");
		fflush(stdout);
		_exit(0);
	}
	int status = (int)gort_blocking(reap, &pid);
	printf("%d %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

// The child of a fork that only makes what fork is for: exec.
static void
fork_exec(void) {
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "echo exec; exit 4", (char *)NULL);
		_exit(9);
	}
	int status = (int)gort_blocking(reap, &pid);
	printf("%d\n", WEXITSTATUS(status));
}

// Output in libc's buffer and what atexit registered are not lost.
static void
at_exit(void) {
	printf(" atexit");
}

static void
output(void) {
	atexit(at_exit);
	printf("no newline");
}

static const struct {
	const char *name;
	void (*f)(void);
	int rc;
} cases[] = {
	{"deadlock_main", deadlock_main, 0},
	{"deadlock_all", deadlock_all, 0},
	{"sleeping", sleeping, 0},
	{"timer", timer, 0},
	{"timer_stopped", timer_stopped, 0},
	{"blocking", blocking, 0},
	{"send_closed", send_closed, 0},
	{"select_closed", select_closed, 0},
	{"close_under_sender", close_under_sender, 0},
	{"close_nil", close_nil, 0},
	{"close_closed", close_closed, 0},
	{"wg_negative", wg_negative, 0},
	{"unlock_mutex", unlock_mutex, 0},
	{"unlock_rw", unlock_rw, 0},
	{"runlock_rw", runlock_rw, 0},
	{"panic", panic_, 0},
	{"panic_goroutine", panic_goroutine, 0},
	{"panic_in_defer", panic_in_defer, 0},
	{"panic_tracer", panic_tracer, 0},
	{"goexit_main", goexit_main, 0},
	{"goexit_main_others", goexit_main_others, 0},
	{"goexit_main_exit", goexit_main_exit, 0},
	{"overflow", overflow, 0},
	{"overflow_goroutine", overflow_goroutine, 0},
	{"nil_deref", nil_deref, 0},
	{"nil_goroutine", nil_goroutine, 0},
	{"nil_call", nil_call, 0},
	{"nil_go", nil_go, 0},
	{"bad_address", bad_address, 0},
	{"divide_zero", divide_zero, 0},
	{"quit", quit, 0},
	{"quit_spin", quit_spin, 0},
	{"term", term, 0},
	{"abort", abort_, 0},
	{"procs", procs, 0},
	{"settings", settings, 0},
	{"run_twice", many, 0},
	{"chan_size", chan_size, 0},
	{"array_size", array_size, 0},
	{"array_large", array_large, 0},
	{"alloc_large", alloc_large, 0},
	{"alloc_max", alloc_max, 0},
	{"alloc_wraps", alloc_wraps, 0},
	{"foreign", foreign, 0},
	{"forked", forked, 0},
	{"fork_exec", fork_exec, 0},
	{"output", output, 7},
};

static SHOWN int
app(int argc, char **argv) {
	for (size_t i = 0; argc > 2 && i < sizeof calls / sizeof calls[0]; i++)
		if (strcmp(argv[2], calls[i].name) == 0)
			call = &calls[i];
	for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof cases[0]; i++) {
		if (strcmp(argv[1], cases[i].name) == 0) {
			cases[i].f();
			return cases[i].rc;
		}
	}
	fprintf(stderr, "usage: fatal CASE [CALL]\n");
	return 64;
}

int
main(int argc, char **argv) {
	// before=CALL: the runtime has not started.
	if (argc > 2 && strcmp(argv[1], "before") == 0) {
		for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
			if (strcmp(argv[2], calls[i].name) == 0)
				calls[i].f(NULL);
		printf("survived\n");
		return 0;
	}
	return gort_run(app, argc, argv);
}
