"""Each change of a batch reaches the part that knows its kind."""

import pytest

from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope
from gamin.events import (
    ATTRIB,
    CREATE,
    DELETE,
    IGNORED,
    IS_DIR,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
    OVERFLOW,
    Change,
)
from testkit.doubles.clients import Client
from testkit.doubles.engine import Shell
from testkit.words import as_words


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/d/sub")
    shell.disk.touch(b"/d/f")
    return shell


@pytest.fixture
def client(shell: Shell) -> Client:
    client = shell.view()
    client.subscribe(b"/d", Scope.DIRECTORY)
    client.rows()
    return client


def apply(shell: Shell, *changes: tuple[int, int, bytes]) -> Node:
    """Apply changes of /d, with the fast pass switched off."""
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    shell.monitor.fast_files.is_off = True
    batch = [Change(node, *change) for change in changes]
    shell.do(shell.monitor.changed(batch, shell.now))
    shell.flush()
    return node


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ([(CREATE, 0, b"new")], ["created /d/new"]),
        ([(MOVED_TO, 0, b"new")], ["created /d/new"]),
        ([(CREATE | IS_DIR, 0, b"dir")], ["created /d/dir/"]),
        ([(DELETE, 0, b"f")], ["deleted /d/f"]),
        ([(MOVED_FROM, 0, b"f")], ["deleted /d/f"]),
        ([(MODIFY, 0, b"f")], []),
        ([(MOVED_FROM, 7, b"f"), (MOVED_TO, 7, b"g")], ["moved /d/f /d/g"]),
        ([(MOVED_FROM, 7, b"f")], ["deleted /d/f"]),
        ([(MOVED_TO, 7, b"g")], ["created /d/g"]),
    ],
)
def test_a_change_of_an_entry_is_applied_by_its_kind(
    shell: Shell,
    client: Client,
    changes: list[tuple[int, int, bytes]],
    rows: list[str],
) -> None:
    apply(shell, *changes)
    assert as_words(client.rows()) == rows


def test_an_overflow_makes_a_rescan_due(shell: Shell, client: Client) -> None:
    apply(shell, (OVERFLOW, 0, b""))
    assert shell.monitor.recovery.overflows == 1
    assert shell.monitor.recovery.due_at is not None


def test_a_watch_that_is_gone_makes_its_directory_misplaced(
    shell: Shell, client: Client
) -> None:
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    calls = shell.calls
    apply(shell, (IGNORED, 0, b""))
    shell.run_once()
    assert shell.calls > calls  # it was scanned again, and found
    assert not shell.monitor.coverage.registers.misplaced
    assert client.rows() == []


def test_changed_rights_of_a_directory_without_subscribers_of_paths_report_nothing(
    shell: Shell, client: Client
) -> None:
    apply(shell, (ATTRIB, 0, b""))
    assert client.rows() == []
