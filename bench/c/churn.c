/* churn DIRECTORY RATE SECONDS: make and remove a file in DIRECTORY, RATE times a
 * second, evenly; fifty names by turns. Prints how often, which is less if the machine
 * cannot keep up. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NAMES 50

static long long now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 64;
	long long step = 1000000000LL / atoi(argv[2]), next = now_ns();
	long long end = next + atoi(argv[3]) * 1000000000LL;
	int times = 0;
	prctl(PR_SET_TIMERSLACK, 1); /* else every sleep is 50 us longer */
	for (; now_ns() < end; times++, next += step) {
		char path[PATH_MAX];
		struct timespec t = {next / 1000000000LL, next % 1000000000LL};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		snprintf(path, sizeof path, "%s/short%02d", argv[1], times % NAMES);
		close(open(path, O_CREAT | O_WRONLY, 0666));
		if (unlink(path))
			return perror(path), 1;
	}
	printf("%d\n", times);
	return 0;
}
