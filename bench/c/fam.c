/* fam ROOT [--flat] [--stamp]: what a C program linked with libfam is told, by
 * whichever gam_server the library starts. FAM watches single directories, so for
 * a tree each directory is one request, made when the directory is first heard of.
 *
 * Few requests are under way at a time: the original server stops reading while its
 * writes block, and with more of them both sides come to wait for each other. */
#define _GNU_SOURCE
#include <fam.h>
#include <search.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "report.h"

#define AT_ONCE 32 /* requests under way, their answers not yet read */

struct directory {
	char *path;
	FAMRequest request;
	int asked;  /* the server has the request */
	int listed; /* and has answered it in full */
	int there;  /* the directory is, and shall be watched */
	int went;   /* since it was asked for: ask anew */
	int queued; /* something is to be sent about it */
	struct directory *next;
};

static FAMConnection connection;
static void *tree; /* all directories heard of, by path */
static struct directory *queue;
static int under_way, flat, ready;

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct directory *)a)->path, ((const struct directory *)b)->path);
}

static struct directory *known(const char *path)
{
	struct directory key = {.path = (char *)path}, **found;
	found = tfind(&key, &tree, by_path);
	return found ? *found : NULL;
}

static void put_in_queue(struct directory *directory)
{
	if (directory->queued)
		return;
	directory->queued = 1;
	directory->next = queue;
	queue = directory;
}

static void want(const char *path)
{
	struct directory *directory = known(path);
	if (!directory) {
		directory = calloc(1, sizeof *directory);
		directory->path = strdup(path);
		tsearch(directory, &tree, by_path);
	}
	if (directory->there)
		return;
	directory->there = 1;
	put_in_queue(directory);
}

static void send_requests(void)
{
	while (queue && under_way < AT_ONCE) {
		struct directory *directory = queue;
		queue = directory->next;
		directory->queued = 0;
		if (directory->went && directory->asked) {
			FAMCancelMonitor(&connection, &directory->request);
			directory->asked = 0;
			under_way += directory->listed; /* else: this answer for that */
		}
		directory->went = 0;
		if (directory->there && !directory->asked) {
			FAMMonitorDirectory(&connection, directory->path, &directory->request, directory);
			directory->asked = 1;
			directory->listed = 0;
			under_way++;
		}
	}
}

static int is_directory(const char *path)
{
	struct stat status;
	return !lstat(path, &status) && S_ISDIR(status.st_mode);
}

static void appeared(const char *path)
{
	if (ready)
		report(CREATED, path, NULL);
	if (!flat && is_directory(path))
		want(path);
}

static void gone(const char *path)
{
	struct directory *directory = known(path);
	report(DELETED, path, NULL);
	if (directory) {
		directory->there = 0;
		directory->went = 1;
		put_in_queue(directory);
	}
}

static void told(FAMEvent *event)
{
	char path[2 * PATH_MAX];
	struct directory *directory = event->userdata;
	int itself = event->filename[0] == '/';
	if (itself)
		snprintf(path, sizeof path, "%s", event->filename);
	else
		snprintf(path, sizeof path, "%s/%s", directory->path, event->filename);
	switch (event->code) {
	case FAMEndExist:
		directory->listed = 1;
		under_way--;
		break;
	case FAMAcknowledge:
		under_way--;
		break;
	case FAMExists:
	case FAMCreated:
		if (!itself)
			appeared(path);
		break;
	case FAMChanged:
		report(CHANGED, path, NULL);
		break;
	case FAMDeleted:
		/* Of itself: its parent's request tells, the root has none. */
		if (!itself)
			gone(path);
		break;
	default:
		break;
	}
}

static void drain(void)
{
	FAMEvent event;
	while (FAMPending(&connection) > 0)
		if (FAMNextEvent(&connection, &event) > 0)
			told(&event);
}

int main(int argc, char **argv)
{
	stamped = has_option(argc, argv, "--stamp");
	flat = has_option(argc, argv, "--flat");
	if (FAMOpen(&connection))
		return 1;
	want(argv[1]);
	do {
		send_requests();
		if (!ready && !queue && !under_way) {
			ready = 1;
			report_ready();
		}
		if (!wait_or_end(FAMCONNECTION_GETFD(&connection), -1))
			break;
		drain();
	} while (1);
	FAMClose(&connection);
	return fflush(stdout) ? 1 : 0;
}
