/* How a watching program tells what it saw: one line per happening on standard
 * output, "KIND PATH" with the kinds below, two paths (a tab between) for a move.
 * With --stamp each line starts with CLOCK_MONOTONIC in ns and leaves at once;
 * without, lines leave when the buffer is full or the program is told to end.
 *
 * It leaves to others what the lines mean (bench/belief.py). */
#ifndef REPORT_H
#define REPORT_H

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CREATED = '+', DELETED = '-', CHANGED = '~', MOVED = '>', LOST = '!' };

static int stamped;

static inline long long now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline void report(char kind, const char *path, const char *dest)
{
	if (stamped)
		printf("%lld ", now_ns());
	putchar_unlocked(kind);
	putchar_unlocked(' ');
	fputs_unlocked(path, stdout);
	if (dest) {
		putchar_unlocked('\t');
		fputs_unlocked(dest, stdout);
	}
	putchar_unlocked('\n');
	if (stamped)
		fflush(stdout);
}

static inline void report_ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* Wait for `fd`; 0 once standard input has ended: the driver wants no more. */
static inline int wait_or_end(int fd, int timeout_ms)
{
	struct pollfd fds[2] = {{fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
	poll(fds, 2, timeout_ms);
	return !fds[1].revents;
}

static inline int has_option(int argc, char **argv, const char *option)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], option))
			return 1;
	return 0;
}

#endif
