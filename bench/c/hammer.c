/* hammer FILE RATE SECONDS: append one byte to FILE, RATE times a second, evenly.
 * Prints the number of appends, which is smaller if the machine cannot keep up. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

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
	int fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0666);
	long long step = 1000000000LL / atoi(argv[2]), next = now_ns();
	long long end = next + atoi(argv[3]) * 1000000000LL;
	int appends = 0;
	prctl(PR_SET_TIMERSLACK, 1); /* else every sleep is 50 us longer: the step */
	for (; now_ns() < end; appends++, next += step) {
		struct timespec t = {next / 1000000000LL, next % 1000000000LL};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		if (write(fd, "x", 1) != 1)
			return perror(argv[1]), 1;
	}
	printf("%d\n", appends);
	return 0;
}
