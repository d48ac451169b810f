/* Watches what the command line names, and prints every event as it comes.
 *
 *     gap_watch [-n] [-d DIRECTORY | -f FILE]...
 *
 * -n asks for no listings of the directories after it, as FAMNoExists does. One line per
 * event: its code, the number of the request, and what it is about, with tabs between.
 */

#include <fam.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static FAMEvent event;
    FAMConnection connection;
    int failures = 0;

    if (FAMOpen(&connection) < 0)
        return 1;
    for (int i = 1; i < argc; i++) {
        FAMRequest request;
        int failed;

        if (!strcmp(argv[i], "-n")) {
            failed = FAMNoExists(&connection);
        } else if (i + 1 == argc) {
            return 64;
        } else if (!strcmp(argv[i], "-d")) {
            failed = FAMMonitorDirectory(&connection, argv[++i], &request, NULL);
        } else {
            failed = FAMMonitorFile(&connection, argv[++i], &request, NULL);
        }
        if (failed)
            return 2;
    }
    puts("ready");
    fflush(stdout);
    /* The first call after the loss of a server fails, and makes a new connection. */
    while (failures < 3) {
        if (FAMNextEvent(&connection, &event) < 0) {
            failures++;
            continue;
        }
        failures = 0;
        printf("%d\t%d\t%s\n", event.code, FAMREQUEST_GETREQNUM(&event.fr),
               event.filename);
        fflush(stdout);
    }
    return 3;
}
