/* ping DIRECTORY COUNT SECONDS: how long from the call that makes a file until the
 * watcher, whose output is our standard input, has it in hand. One file at a time,
 * the next a few milliseconds after the last was told of. Prints one line per
 * file: nanoseconds, or "lost" after WAIT_MS. Makes no new one after SECONDS.
 *
 * A line that starts with a number carries the moment the watcher had the event
 * (programs of ours, --stamp); for other programs the moment is when their line
 * arrives here, which is when a user of theirs has it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 5000

static long long now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static char text[1 << 20];
static size_t held;

/* The moment `name` was told of, if it is in the lines we hold, else 0. */
static long long told(const char *name, long long arrival)
{
	char *found = memmem(text, held, name, strlen(name));
	if (!found)
		return 0;
	char *line = memrchr(text, '\n', found - text);
	long long stamp = atoll(line ? line + 1 : text);
	return stamp ? stamp : arrival;
}

static long long wait_for(const char *name)
{
	struct pollfd input = {STDIN_FILENO, POLLIN, 0};
	long long moment = 0;
	held = 0;
	while (!moment && poll(&input, 1, WAIT_MS) > 0) {
		ssize_t size = read(STDIN_FILENO, text + held, sizeof text - held);
		if (size <= 0)
			return 0;
		held += size;
		moment = told(name, now_ns());
		if (held == sizeof text)
			held = 0;
	}
	return moment;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 64;
	long long end = now_ns() + atoi(argv[3]) * 1000000000LL;
	for (int i = 0, count = atoi(argv[2]); i < count && now_ns() < end; i++) {
		char name[32], path[PATH_MAX];
		/* Not evenly: nobody shall be in step with us. */
		usleep(2000 + random() % 5000);
		sprintf(name, "ping-%06d", i);
		snprintf(path, sizeof path, "%s/%s", argv[1], name);
		long long start = now_ns();
		close(open(path, O_CREAT | O_WRONLY | O_EXCL, 0666));
		long long moment = wait_for(name);
		if (moment)
			printf("%lld\n", moment - start);
		else
			puts("lost");
	}
	return 0;
}
