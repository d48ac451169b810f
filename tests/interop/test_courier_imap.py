"""courier-imap, a mail server of the original's time, unchanged, over libgamin.

An idle session asks for the mailbox's directories anew after each change that it hears
of, and moves the mails meanwhile. It gives up watching when it hears of a move before
it has all listings. `soak/mail.py` does the same with many users.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.courier import Mailbox, imap_session, require_courier
from testkit.original import require_original
from testkit.servers import OUR_SERVER, serving_pid

MAILS = 20
MAX_PAUSE = 0.05
"""Seconds between two mails at the most, so that they meet every state of a session."""


@pytest.fixture
def mailbox(session: str, tmp_path: Path) -> Iterator[Mailbox]:
    """A mailbox with one mail; the server that libgamin starts for it is ended."""
    require_original()
    require_courier()
    mailbox = Mailbox(tmp_path / "Maildir")
    mailbox.deliver()
    yield mailbox
    if pid := serving_pid(session):
        os.kill(pid, signal.SIGTERM)


def test_an_idle_session_reports_all_of_many_mails(
    mailbox: Mailbox, session: str
) -> None:
    pauses = random.Random(1)
    with imap_session(mailbox, session, OUR_SERVER) as idle:
        idle.idle()
        for _ in range(MAILS):
            mailbox.deliver()
            time.sleep(pauses.uniform(0, MAX_PAUSE))
        assert idle.has_said(f"* {MAILS + 1} EXISTS")
        mailbox.deliver()
        assert idle.has_said(f"* {MAILS + 2} EXISTS")


def test_an_idle_session_reports_keywords_that_another_session_sets(
    mailbox: Mailbox, session: str
) -> None:
    with (
        imap_session(mailbox, session, OUR_SERVER) as idle,
        imap_session(mailbox, session, OUR_SERVER) as other,
    ):
        idle.idle()
        other.command("STORE 1 +FLAGS (important)")
        idle.until("* 1 FETCH (FLAGS (\\Recent important")
