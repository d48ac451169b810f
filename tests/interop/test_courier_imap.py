"""courier-imap, a mail server of the original's time, unchanged, over libgamin.

An idle session requests the mailbox's directories again after each change, and moves
the mails meanwhile. It gives up watching when a move is reported before
it has all listings. `soak/mail.py` does the same with many users.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.courier import Mailbox, imap_session, require_courier
from testkit.original import require_original
from testkit.servers import OUR_SERVER, Server, running_server

MAILS = 20


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    """A mailbox with one mail."""
    require_original()
    require_courier()
    mailbox = Mailbox(tmp_path / "Maildir")
    mailbox.deliver()
    return mailbox


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = str(tmp_path_factory.mktemp("home"))
    with running_server([str(OUR_SERVER), "--notimeout"], home=home) as server:
        yield server


def test_an_idle_session_reports_all_of_many_mails(
    mailbox: Mailbox, server: Server
) -> None:
    choices = random.Random(1)
    with imap_session(mailbox, server.session) as idle:
        idle.idle()
        for number in range(2, MAILS + 2):
            mailbox.deliver()
            # Some mails meet an idle session, others one that is busy with the last.
            if choices.random() < 0.5:
                assert idle.has_said(f"* {number} EXISTS")
        assert idle.has_said(f"* {MAILS + 1} EXISTS")
        mailbox.deliver()
        assert idle.has_said(f"* {MAILS + 2} EXISTS")


def test_an_idle_session_reports_keywords_that_another_session_sets(
    mailbox: Mailbox, server: Server
) -> None:
    with (
        imap_session(mailbox, server.session) as idle,
        imap_session(mailbox, server.session) as other,
    ):
        idle.idle()
        other.command("STORE 1 +FLAGS (important)")
        idle.until("* 1 FETCH (FLAGS (\\Recent important")
