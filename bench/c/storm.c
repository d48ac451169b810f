/* storm ROOT DIRECTORIES ROUNDS FILES: change as much as possible as fast as
 * possible. ROOT/d00... hold FILES files called r00-..., made by `storm --prepare`.
 * Each round makes FILES more in each directory, renames and writes one in twenty
 * of them, and removes those of the round before: at the end as many are there as
 * at the start, and none is the same. Prints the number of operations. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ONE_IN 20

static const char *root;
static int directories, files;

static char *path_of(char *path, int directory, int round, int file, char renamed)
{
	sprintf(path, "%s/d%02d/r%02d-%c%05d", root, directory, round, renamed, file);
	return path;
}

static int is_renamed(int file)
{
	return file % ONE_IN == 0;
}

static int make(int directory, int round)
{
	char path[PATH_MAX], other[PATH_MAX];
	for (int file = 0; file < files; file++) {
		path_of(path, directory, round, file, 'a');
		close(open(path, O_CREAT | O_WRONLY | O_EXCL, 0666));
	}
	if (round == 0)
		return files;
	int operations = files;
	for (int file = 0; file < files; file += ONE_IN, operations++)
		rename(path_of(path, directory, round, file, 'a'),
		       path_of(other, directory, round, file, 'b'));
	for (int file = 1; file < files; file += ONE_IN, operations++) {
		int fd = open(path_of(path, directory, round, file, 'a'), O_WRONLY);
		if (write(fd, "x", 1) != 1)
			perror(path);
		close(fd);
	}
	return operations;
}

static int clear(int directory, int round)
{
	char path[PATH_MAX];
	for (int file = 0; file < files; file++) {
		char renamed = round > 0 && is_renamed(file) ? 'b' : 'a';
		if (unlink(path_of(path, directory, round, file, renamed)))
			perror(path);
	}
	return files;
}

int main(int argc, char **argv)
{
	int prepare = argc == 6 && !strcmp(argv[5], "--prepare");
	if (argc != 5 && !prepare)
		return 64;
	root = argv[1];
	directories = atoi(argv[2]);
	int rounds = atoi(argv[3]), operations = 0;
	files = atoi(argv[4]);
	char path[PATH_MAX];
	for (int d = 0; prepare && d < directories; d++) {
		sprintf(path, "%s/d%02d", root, d);
		mkdir(path, 0777);
		make(d, 0);
	}
	for (int round = 1; !prepare && round <= rounds; round++)
		for (int d = 0; d < directories; d++)
			operations += make(d, round) + clear(d, round - 1);
	printf("%d\n", operations);
	return 0;
}
