"""What exactly changed, for the subscriptions that ask."""

import pytest

from gamin.core.deliver import details
from gamin.core.deliver.details import PLAIN, UNKNOWN, Details, details_of
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.events import ATTRIB, CLOSE_WRITE, MODIFY, MOVED_TO, Detail, Row
from testkit.doubles.clients import V1Client
from testkit.doubles.engine import Shell


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/d/sub")
    shell.disk.makedirs(b"/out")
    shell.disk.touch(b"/d/f")
    shell.disk.touch(b"/out/g")
    return shell


class Asker:
    """A client that asks for details of /d, beside one that does not."""

    def __init__(self, shell: Shell, scope: Scope = Scope.TREE) -> None:
        self.shell = shell
        self.plain: V1Client = shell.v1()
        self.plain.subscribe(b"/d", scope)
        self.client = shell.v1()
        self.subscription = self.client.subscribe(b"/d", scope, wants_details=True)
        self.read()

    def read(self) -> list[tuple[str, Detail]]:
        """What it received, with the details of this round; that of the other too."""
        self.shell.run_once()
        self.others = [_words(row) for row in self.plain.rows()]
        known = self.shell.monitor.details
        found = [
            (_words(row), Detail(max(0, known.of(row.path or self.subscription))))
            for row in self.client.rows()
        ]
        known.end_round()
        return found

    def later(self) -> list[tuple[str, Detail]]:
        self.shell.sleep(0.02)
        return self.read()


def _words(row: Row) -> str:
    return f"{row.kind} {row.path.decode()}"


WRITTEN = Detail.CONTENT | Detail.CLOSED


def test_a_new_file_that_is_written_and_closed_is_one_row(shell: Shell) -> None:
    asker = Asker(shell)
    shell.disk.write(b"/d/new")
    assert asker.read() == [("created /d/new", WRITTEN)]


def test_a_write_with_its_close_is_one_row(shell: Shell) -> None:
    asker = Asker(shell)
    shell.disk.write(b"/d/f")
    assert asker.read() == [("changed /d/f", WRITTEN)]


def test_attributes_are_distinguished_from_content(shell: Shell) -> None:
    asker = Asker(shell)
    shell.disk.chmod(b"/d/f", 0o600)
    assert asker.later() == [("changed /d/f", Detail.ATTRIBUTES)]


def test_a_late_close_is_reported_to_those_who_ask_alone(shell: Shell) -> None:
    asker = Asker(shell)
    shell.disk.modify(b"/d/f")
    assert asker.later() == [("changed /d/f", Detail.CONTENT)]
    assert asker.others == ["changed /d/f"]
    shell.disk.close(b"/d/f")
    assert asker.read() == [("changed /d/f", Detail.CLOSED)]
    assert asker.others == []


def test_a_late_close_of_a_single_file_is_reported(shell: Shell) -> None:
    client = shell.v1()
    subscription = client.subscribe(b"/d/f", Scope.FILE, wants_details=True)
    client.rows()
    shell.disk.close(b"/d/f")
    shell.run_once()
    assert [_words(row) for row in client.rows()] == ["changed "]
    assert shell.monitor.details.of(subscription) == Detail.CLOSED


def test_attributes_of_the_watched_directory_are_reported_to_those_who_ask(
    shell: Shell,
) -> None:
    asker = Asker(shell)
    shell.disk.chmod(b"/d", 0o711)
    assert asker.later() == [("changed ", Detail.ATTRIBUTES)]
    assert asker.others == []


def test_half_of_a_rename_is_distinguished_from_a_creation_and_a_deletion(
    shell: Shell,
) -> None:
    asker = Asker(shell)
    shell.disk.rename(b"/out/g", b"/d/g")
    assert asker.read() == [("created /d/g", Detail.RENAMED)]
    shell.disk.rename(b"/d/g", b"/out/g")
    assert asker.read() == [("deleted /d/g", Detail.RENAMED)]
    shell.disk.unlink(b"/d/f")
    assert asker.read() == [("deleted /d/f", Detail(0))]


def test_half_of_a_rename_between_two_watched_trees_is_distinguished_too(
    shell: Shell,
) -> None:
    asker = Asker(shell)
    shell.v1().subscribe(b"/out", Scope.TREE)
    shell.disk.rename(b"/out/g", b"/d/g")
    assert asker.read() == [("created /d/g", Detail.RENAMED)]


def test_what_is_found_by_a_scan_is_not_known(shell: Shell) -> None:
    asker = Asker(shell)
    shell.disk.makedirs(b"/d/new")
    shell.disk.write(b"/d/new/f")
    shell.run_once()
    known = shell.monitor.details
    assert (known.of(b"/d/new"), known.of(b"/d/new/f")) == (PLAIN, UNKNOWN)
    assert "created /d/new/f" in [words for words, _ in asker.read()]


def test_a_busy_file_is_reported_with_all_that_happened_to_it(shell: Shell) -> None:
    asker = Asker(shell)
    for _ in range(6):
        shell.disk.modify(b"/d/f")
        asker.later()
    shell.disk.chmod(b"/d/f", 0o600)
    assert asker.later() == []
    shell.sleep(1.0)
    both = Detail.CONTENT | Detail.ATTRIBUTES
    assert asker.read() == [("changed /d/f", both)]


def test_a_file_that_is_written_all_the_time_stays_with_the_kernel(
    shell: Shell,
) -> None:
    asker = Asker(shell)
    for _ in range(1000):
        shell.disk.modify(b"/d/f")
        shell.run_once()
    asker.later()
    assert not shell.monitor.coverage.registers.polled_for_writes
    shell.disk.close(b"/d/f")
    (found,) = asker.read()
    assert Detail.CLOSED in found[1]


def test_nothing_is_kept_when_nobody_asks_any_more(shell: Shell) -> None:
    asker = Asker(shell)
    known = shell.monitor.details
    assert known.is_wanted
    asker.client.cancel(asker.subscription)
    assert not known.is_wanted


def test_bits_of_a_mask() -> None:
    assert details_of(MODIFY | CLOSE_WRITE) == WRITTEN
    assert details_of(ATTRIB) == Detail.ATTRIBUTES
    assert details_of(MOVED_TO) == Detail.RENAMED


def test_what_is_pending_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details, "MAX_PENDING", 2)
    known, node = Details(), Node(None, b"")
    known.subscribed(Subscription(1, 1, b"/", Scope.TREE, wants_details=True))
    for name in (b"a", b"b", b"c"):
        known.add_pending(node, name, ATTRIB)
    assert known.take_pending(node, b"c") == Detail.ATTRIBUTES
    assert known.take_pending(node, b"a") == Detail.CONTENT


def test_a_deleted_entry_leaves_nothing_behind() -> None:
    known, node = Details(), Tree().root
    known.add_pending(node, b"a", ATTRIB)
    known.forget(node, b"a")
    assert known.take_pending(node, b"a") == Detail.CONTENT
