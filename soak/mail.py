"""Mail for many users at full speed, while each user's courier-imap is idle.

    python -m soak.mail [--users N] [--mails N] [--runs N]
        [--pause SECONDS] [--original]

Every user has a mailbox, a server, and an idle session, which has to report each mail
through libgamin. Meanwhile a second session of the user changes keywords. A session
that does not report the last mail is *deaf*: courier-imap gave up watching. Exit status
1 if one is. With `--pause` there are random pauses of up to so many seconds between two
mails, so that they meet every state of the sessions. `--original` runs the server of
gamin 0.1.10 instead of ours.
"""

import argparse
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from testkit import original
from testkit.courier import Mailbox, imap_session
from testkit.servers import OUR_SERVER, running_server

PATIENCE = 30.0
"""Seconds in which an idle session must have reported the last mail."""
KEYWORD_EVERY = 10
"""Mails between two changes of keywords."""


def is_deaf(place: Path, server: Path, mails: int, pause: float) -> bool:
    """Deliver to a new mailbox, and find out whether its idle session reports all."""
    mailbox = Mailbox(place / "Maildir")
    mailbox.deliver()
    with (
        running_server([str(server), "--notimeout"], home=str(place)) as running,
        imap_session(mailbox, running.session) as idle,
        imap_session(mailbox, running.session) as second,
    ):
        idle.idle()
        for number in range(mails):
            mailbox.deliver()
            time.sleep(random.uniform(0, pause))
            if number % KEYWORD_EVERY == 0:
                second.command(f"STORE 1 +FLAGS (word{number})")
        if not idle.has_said(f"* {mails + 1} EXISTS", PATIENCE):
            return True
        mailbox.deliver()  # is it still awake?
        return not idle.has_said(f"* {mails + 2} EXISTS", PATIENCE)


def run(options: argparse.Namespace) -> int:
    """How many of the users' sessions are deaf."""
    server = original.SERVER if options.original else OUR_SERVER
    mails, pause = options.mails, options.pause
    with (
        tempfile.TemporaryDirectory(prefix="gamin-mail-") as place,
        ThreadPoolExecutor(options.users) as pool,
    ):
        each = [
            pool.submit(is_deaf, Path(place) / str(user), server, mails, pause)
            for user in range(options.users)
        ]
        return sum(one.result() for one in each)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.mail")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--mails", type=int, default=60)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--original", action="store_true")
    options = parser.parse_args()
    total = 0
    for number in range(options.runs):
        began = time.monotonic()
        deaf = run(options)
        total += deaf
        sys.stdout.write(
            f"run {number + 1}: {deaf} of {options.users} deaf, "
            f"{time.monotonic() - began:.1f} s\n"
        )
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
