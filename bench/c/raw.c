/* raw ROOT [--flat] [--stamp]: the yardstick, the least a correct recursive
 * inotify reader can do in C. It knows every directory's names (so that a new
 * directory is watched, then listed, and nothing is told twice) and re-links a
 * directory that moves.
 *
 * It leaves out what costs: after a queue overflow it says so and does nothing. */
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <sys/inotify.h>

#include "names.h"
#include "report.h"

#define MASK                                                                      \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_ATTRIB |  \
	 IN_ONLYDIR | IN_DONT_FOLLOW)

struct directory {
	int parent; /* -1 for the root */
	int wd;     /* -1 once it is gone */
	char *name; /* the root's is its whole path */
	struct names names;
};

static struct directory *directories;
static int *by_watch; /* wd, which the kernel never reuses -> directory */
static int count, room, watches_room, inotify, flat, telling;

static char *path_end(int dir, char *path)
{
	if (directories[dir].parent >= 0) {
		path = path_end(directories[dir].parent, path);
		*path++ = '/';
	}
	return stpcpy(path, directories[dir].name);
}

static const char *path_of(int dir, const char *name)
{
	static char buffers[2][PATH_MAX + NAME_MAX + 2];
	static int turn;
	char *path = buffers[turn ^= 1], *end = path_end(dir, path);
	if (*name) {
		*end++ = '/';
		strcpy(end, name);
	}
	return path;
}

static void appeared(int dir, const char *name, int is_dir);

static void list(int dir)
{
	DIR *stream = opendir(path_of(dir, ""));
	struct dirent *entry;
	while (stream && (entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			appeared(dir, entry->d_name, entry->d_type == DT_DIR);
	if (stream)
		closedir(stream);
}

/* Watch, then list: what is made in between is in the listing, or in the queue,
 * or in both, and then `appeared` counts it once. */
static int watch(int parent, const char *name)
{
	int dir = count++;
	if (count > room)
		directories = realloc(directories, (room = 2 * count) * sizeof *directories);
	directories[dir] = (struct directory){parent, -1, strdup(name), {0}};
	int wd = inotify_add_watch(inotify, path_of(dir, ""), MASK);
	directories[dir].wd = wd;
	if (wd < 0)
		return dir;
	if (wd >= watches_room)
		by_watch = realloc(by_watch, (watches_room = 2 * (wd + 1)) * sizeof *by_watch);
	by_watch[wd] = dir;
	list(dir);
	return dir;
}

static void appeared(int dir, const char *name, int is_dir)
{
	if (names_find(&directories[dir].names, name))
		return;
	if (telling)
		report(CREATED, path_of(dir, name), NULL);
	names_add(&directories[dir].names, name, -1);
	if (is_dir && !flat) {
		int child = watch(dir, name);
		names_find(&directories[dir].names, name)->child = child;
	}
}

static void forget(int dir)
{
	struct names *names = &directories[dir].names;
	for (uint32_t i = 0; i < names->size; i++)
		if (names->slots[i].name) {
			if (names->slots[i].child >= 0)
				forget(names->slots[i].child);
			free(names->slots[i].name);
		}
	free(names->slots);
	free(directories[dir].name);
	inotify_rm_watch(inotify, directories[dir].wd);
	directories[dir] = (struct directory){-1, -1, NULL, {0}};
}

static void gone(int dir, const char *name)
{
	struct entry *entry = names_find(&directories[dir].names, name);
	if (!entry)
		return;
	report(DELETED, path_of(dir, name), NULL);
	if (entry->child >= 0)
		forget(entry->child);
	names_remove(&directories[dir].names, entry);
}

static void moved(int from, const char *old, int to, const char *new, int is_dir)
{
	struct entry *entry = names_find(&directories[from].names, old);
	if (!entry) {
		appeared(to, new, is_dir);
		return;
	}
	int child = entry->child;
	report(MOVED, path_of(from, old), path_of(to, new));
	names_remove(&directories[from].names, entry);
	struct entry *replaced = names_find(&directories[to].names, new);
	if (replaced) {
		if (replaced->child >= 0)
			forget(replaced->child);
		names_remove(&directories[to].names, replaced);
	}
	names_add(&directories[to].names, new, child);
	if (child >= 0) {
		free(directories[child].name);
		directories[child].name = strdup(new);
		directories[child].parent = to;
	}
}

/* Handle one event; `next` is the one after it, if it was read together with it.
 * Returns 1 if `next` was the other half of a rename and is done too. */
static int handle(struct inotify_event *event, struct inotify_event *next)
{
	if (event->mask & IN_Q_OVERFLOW)
		report(LOST, directories[0].name, NULL);
	if (event->wd < 0 || !event->len)
		return 0;
	int dir = by_watch[event->wd];
	if (directories[dir].wd != event->wd)
		return 0;
	if (event->mask & (IN_CREATE | IN_MOVED_TO))
		appeared(dir, event->name, !!(event->mask & IN_ISDIR));
	else if (event->mask & (IN_MODIFY | IN_ATTRIB))
		report(CHANGED, path_of(dir, event->name), NULL);
	else if (event->mask & IN_DELETE)
		gone(dir, event->name);
	else if (event->mask & IN_MOVED_FROM) {
		if (next && next->cookie == event->cookie && next->mask & IN_MOVED_TO) {
			int to = by_watch[next->wd];
			moved(dir, event->name, to, next->name, !!(event->mask & IN_ISDIR));
			return 1;
		}
		gone(dir, event->name);
	}
	return 0;
}

static struct inotify_event *at(char *buffer, ssize_t offset, ssize_t size)
{
	return offset < size ? (struct inotify_event *)(buffer + offset) : NULL;
}

static void drain(void)
{
	static char buffer[256 * 1024] __attribute__((aligned(8)));
	ssize_t size = read(inotify, buffer, sizeof buffer / 2), offset = 0, more;
	struct inotify_event *event, *next;
	while ((event = at(buffer, offset, size))) {
		offset += sizeof *event + event->len;
		/* The other half of a rename may be the first of the next read. */
		if (event->mask & IN_MOVED_FROM && offset == size &&
		    (more = read(inotify, buffer + size, sizeof buffer - size)) > 0)
			size += more;
		next = at(buffer, offset, size);
		if (handle(event, next))
			offset += sizeof *next + next->len;
	}
}

int main(int argc, char **argv)
{
	stamped = has_option(argc, argv, "--stamp");
	flat = has_option(argc, argv, "--flat");
	inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	watch(-1, argv[1]);
	telling = 1;
	report_ready();
	while (wait_or_end(inotify, -1))
		drain();
	drain();
	return fflush(stdout) ? 1 : 0;
}
