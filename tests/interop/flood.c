/* Asks for BASE/0 to BASE/COUNT-1 without reading once, and then reads everything.
 *
 * Each directory must answer with its Exists, one entry and its EndExist, in this
 * order. A server that stops reading while its answers are not read, waits for us
 * while we wait for it.
 */

#include <fam.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum answered { NOTHING, ITSELF, ITS_ENTRY, ALL };

static void fail(const char *what, long number)
{
    fprintf(stderr, "directory %ld: %s (FAMErrno %d)\n", number, what, FAMErrno);
    exit(EXIT_FAILURE);
}

static void ask(FAMConnection *connection, const char *base, long number)
{
    char path[PATH_MAX];
    FAMRequest request;

    snprintf(path, sizeof path, "%s/%ld", base, number);
    if (FAMMonitorDirectory(connection, path, &request, (void *)number) < 0)
        fail("cannot ask", number);
}

static enum answered after(enum answered before, const FAMEvent *event)
{
    int about_itself = event->filename[0] == '/';

    if (before == NOTHING && event->code == FAMExists && about_itself)
        return ITSELF;
    if (before == ITSELF && event->code == FAMExists && !about_itself)
        return ITS_ENTRY;
    if (before == ITS_ENTRY && event->code == FAMEndExist && about_itself)
        return ALL;
    fprintf(stderr, "code %d for %s: ", event->code, event->filename);
    fail("an answer out of order", (long)event->userdata);
    return before;
}

int main(int argc, char **argv)
{
    FAMConnection connection;
    static FAMEvent event;
    enum answered *answers;
    long count, left, failures = 0;

    if (argc != 3)
        return 64;
    count = left = atol(argv[2]);
    answers = calloc(count, sizeof *answers);
    if (!answers || FAMOpen(&connection) < 0)
        fail("no server", -1);
    for (long number = 0; number < count; number++)
        ask(&connection, argv[1], number);
    while (left) {
        enum answered *answer;

        /* It reports half a packet at the end of a read as a failure. */
        if (FAMNextEvent(&connection, &event) < 0) {
            if (++failures > count)
                fail("cannot read", -1);
            continue;
        }
        answer = &answers[(long)event.userdata];
        *answer = after(*answer, &event);
        if (*answer == ALL)
            left--;
    }
    printf("%ld directories answered\n", count);
    return FAMClose(&connection) < 0;
}
