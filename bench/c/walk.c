/* walk ROOT: read every directory below ROOT and ask for the status of every entry, as
 * a program must that compares a tree with what it knew. Prints how many there are. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long entries;

static void walk(int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	struct stat status;
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
			continue;
		if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW))
			continue;
		entries++;
		if (S_ISDIR(status.st_mode)) {
			int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (below >= 0)
				walk(below);
		}
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 64;
	walk(fd);
	printf("%ld\n", entries);
	return 0;
}
