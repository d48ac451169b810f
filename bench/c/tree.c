/* tree ROOT DIRECTORIES FILES: make directories below ROOT, ten to a directory
 * where they last, with FILES empty files shared evenly among them. Prints the
 * path of the last directory, which is among the deepest. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FANOUT 10

static int path_of(int number, char *path, const char *root)
{
	if (number == 0)
		return sprintf(path, "%s", root);
	int length = path_of((number - 1) / FANOUT, path, root);
	return length + sprintf(path + length, "/d%05d", number);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 64;
	int directories = atoi(argv[2]), files = atoi(argv[3]);
	char path[PATH_MAX];
	for (int number = 1, made = 0; number <= directories; number++) {
		int length = path_of(number, path, argv[1]);
		if (mkdir(path, 0777))
			return perror(path), 1;
		for (; made < (long long)files * number / directories; made++) {
			sprintf(path + length, "/f%06d", made);
			int fd = open(path, O_CREAT | O_WRONLY, 0666);
			if (fd < 0)
				return perror(path), 1;
			close(fd);
		}
		path[length] = 0;
	}
	puts(path);
	return 0;
}
