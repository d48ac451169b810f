/* Prints what happens in the directories named on the command line.
 *
 * A FAM program as they have been written since 1999: nothing in it knows which
 * server answers. Build and run:
 *
 *     cc fam_watch.c -o fam_watch -lfam
 *     GAMIN_DEBUG_SERVER=$(command -v gam_server) ./fam_watch /tmp
 *
 * One line per event: what happened, the directory, and what it happened to, with
 * tabs between them. Control characters in names are written as \xHH.
 */

#include <fam.h>
#include <stdio.h>
#include <stdlib.h>

/* FAMNextEvent may fail once when a server dies, and then goes on with a new one. */
#define FAILURES_IN_A_ROW 3

static const char *name_of(FAMCodes code)
{
    switch (code) {
    case FAMChanged:     return "changed";
    case FAMDeleted:     return "deleted";
    case FAMCreated:     return "created";
    case FAMMoved:       return "moved";
    case FAMAcknowledge: return "acknowledge";
    case FAMExists:      return "exists";
    case FAMEndExist:    return "end-exist";
    default:             return "unknown";
    }
}

static void print_escaped(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < 32 || *c == 127 || *c == '\\')
            printf("\\x%02x", *c);
        else
            putchar(*c);
}

static void print_event(const FAMEvent *event)
{
    printf("%s\t", name_of(event->code));
    print_escaped(event->userdata);
    putchar('\t');
    print_escaped(event->filename);
    putchar('\n');
    fflush(stdout);
}

int main(int argc, char **argv)
{
    FAMConnection connection;
    static FAMEvent event; /* 4 KB of it are the name */
    int failures = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: %s DIRECTORY...\n", argv[0]);
        return 64;
    }
    if (FAMOpen(&connection) < 0) {
        fprintf(stderr, "%s: no server: FAMErrno %d\n", argv[0], FAMErrno);
        return EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++) {
        FAMRequest request;

        if (FAMMonitorDirectory(&connection, argv[i], &request, argv[i]) < 0) {
            fprintf(stderr, "%s: cannot watch %s: FAMErrno %d\n", argv[0], argv[i],
                    FAMErrno);
            return EXIT_FAILURE;
        }
    }
    while (failures < FAILURES_IN_A_ROW) {
        if (FAMNextEvent(&connection, &event) < 0) {
            failures++;
            continue;
        }
        failures = 0;
        print_event(&event);
    }
    fprintf(stderr, "%s: the server is gone: FAMErrno %d\n", argv[0], FAMErrno);
    return EXIT_FAILURE;
}
