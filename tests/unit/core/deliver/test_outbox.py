"""What a client that does not read gets later."""

from collections.abc import Iterable

import pytest

from gamin.core.deliver import outbox
from gamin.core.deliver.cursor import Cursor
from gamin.core.deliver.outbox import SEND_BATCH_BYTES, Outbox
from gamin.core.model.moment import Moment
from gamin.core.model.subscription import Place, Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.events import (
    AnyRow,
    Kind,
    Row,
)
from testkit.beliefs.strict import StrictBelief, truth
from testkit.doubles.clients import V1Client
from testkit.doubles.engine import Shell
from testkit.words import as_words

ROW = Row(Kind.CREATED, b"/d/f", False)


class Wire:
    """An outbox that encodes each report as a word."""

    def __init__(self, size: int = 0) -> None:
        self.caught_up: list[tuple[Subscription, int]] = []
        self.moment = Moment(Tree())
        self.outbox = Outbox(self._encode, self._catch_up, self.moment)
        self._size = size

    def _encode(
        self,
        subscription: Subscription,
        rows: Iterable[AnyRow],
        first: bool,
        /,
        *,
        is_last: bool = True,
    ) -> bytes:
        word = b"first" if first else b"rows"
        return b"%s %d;" % (word, len(list(rows))) + b" " * self._size

    def _catch_up(self, subscription: Subscription, cursor: Cursor[Place]) -> list[Row]:
        self.caught_up.append((subscription, cursor.tick))
        cursor.catch_up(0, subscription.target.place)
        return [ROW, ROW]


def standing(wire: Wire) -> Subscription:
    """A subscription that had its first listing."""
    subscription = Subscription(1, 1, b"/d", Scope.DIRECTORY)
    wire.outbox.ready(subscription)
    assert wire.outbox.take() == b"first 2;"
    return subscription


def test_a_client_that_reads_gets_every_row_in_order() -> None:
    wire = Wire()
    subscription = standing(wire)
    wire.outbox.deliver(subscription, [ROW])
    wire.outbox.append(b"ack;")
    wire.outbox.deliver(subscription, [ROW, ROW])
    assert wire.outbox.take() == b"rows 1;ack;rows 2;"
    assert wire.outbox.take() == b""


def test_nothing_is_kept_for_a_client_that_does_not_read() -> None:
    wire = Wire()
    subscription = standing(wire)
    wire.outbox.is_blocked = True
    for _ in range(1000):
        wire.outbox.deliver(subscription, [ROW] * 1000)
    assert (wire.outbox.buffered_bytes, wire.outbox.backlog) == (0, 1)


def test_a_client_that_reads_again_gets_one_difference() -> None:
    wire = Wire()
    subscription = standing(wire)
    wire.moment.reported_tick = 7
    wire.outbox.is_blocked = True
    wire.outbox.deliver(subscription, [ROW])
    wire.moment.reported_tick = 9
    wire.outbox.deliver(subscription, [ROW])
    wire.outbox.is_blocked = False
    assert wire.outbox.take() == b"rows 2;"
    assert wire.caught_up == [(subscription, 0), (subscription, 7)]
    assert wire.outbox.backlog == 0


def test_a_change_before_the_first_listing_is_part_of_it() -> None:
    wire = Wire()
    subscription = Subscription(1, 1, b"/d", Scope.DIRECTORY)
    wire.outbox.deliver(subscription, [ROW])
    assert wire.outbox.take() == b""
    wire.outbox.ready(subscription)
    assert wire.outbox.take() == b"first 2;"


def test_no_listing_is_made_while_enough_bytes_wait() -> None:
    wire = Wire(size=SEND_BATCH_BYTES)
    for number in range(3):
        wire.outbox.ready(Subscription(1, number, b"/d", Scope.DIRECTORY))
    assert len(wire.outbox.take()) < 2 * SEND_BATCH_BYTES
    assert wire.outbox.backlog == 2


def test_nothing_is_sent_of_a_cancelled_subscription() -> None:
    wire = Wire()
    subscription = Subscription(1, 1, b"/d", Scope.DIRECTORY)
    wire.outbox.ready(subscription)
    wire.outbox.forget(subscription)
    assert wire.outbox.take() == b""


# -- with a real tree behind it

SCOPES = [Scope.FILE, Scope.DIRECTORY]
STATES = [b"", b"file", b"directory", b"other directory", b"link"]


def put(shell: Shell, state: bytes) -> None:
    """Make the path /d what `state` says, whatever it was."""
    disk = shell.disk
    if disk.exists(b"/d"):
        remove = disk.rmtree if disk.inode(b"/d").is_dir else disk.unlink
        remove(b"/d")
    match state:
        case b"file":
            disk.touch(b"/d")
        case b"directory":
            disk.makedirs(b"/d/sub")
        case b"other directory":
            disk.makedirs(b"/d/other")
            disk.touch(b"/d/f")
        case b"link":
            disk.symlink(b"/far", b"/d")
    shell.settle()


def belief(client: V1Client) -> StrictBelief:
    belief = StrictBelief()
    for index, (_, row) in enumerate(client.received):
        belief.apply(row, is_belated=index in client.belated)
    return belief


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("between", STATES)
def test_a_client_that_reads_now_and_then_ends_up_with_what_is_there(
    scope: Scope, before: bytes, between: bytes, after: bytes
) -> None:
    shell = Shell()
    shell.disk.makedirs(b"/far/away")
    put(shell, before)
    client = shell.v1()
    subscription = client.subscribe(b"/d", scope)
    client.reads = False
    put(shell, between)  # its beginning is still taken by the socket
    put(shell, after)
    client.read()
    assert belief(client).entries() == truth(shell.disk, subscription)
    shell.disk.makedirs(b"/far/more")
    shell.settle()
    assert belief(client).entries() == truth(shell.disk, subscription)


def test_a_slow_client_gets_a_thousand_files_in_one_piece() -> None:
    shell = Shell()
    shell.disk.mkdir(b"/d")
    client = shell.v1()
    client.subscribe(b"/d", Scope.DIRECTORY)
    client.reads = False
    shell.disk.touch(b"/d/first")  # this is what fills the socket
    shell.run_once()
    client.rows()
    for number in range(1000):
        shell.disk.touch(b"/d/%d" % number)
        shell.run_once()
    shell.disk.unlink(b"/d/first")
    shell.run_once()
    assert client.rows() == []
    assert client.outbox.buffered_bytes == 0
    client.read()
    assert len(client.rows()) == 1001


def test_a_client_that_does_not_read_disturbs_nobody() -> None:
    shell = Shell()
    shell.disk.mkdir(b"/d")
    slow, quick = shell.v1(), shell.v1()
    for client in (slow, quick):
        client.subscribe(b"/d", Scope.DIRECTORY)
        client.rows()
    slow.reads = False
    for name in (b"a", b"b", b"c"):
        shell.disk.touch(b"/d/" + name)
        shell.run_once()
    assert as_words(quick.rows()) == ["created /d/a", "created /d/b", "created /d/c"]


def test_a_client_that_was_owed_nothing_for_long_gets_the_difference() -> None:
    """The tree may have forgotten what was when the client last got something."""
    shell = Shell()
    shell.disk.mkdir(b"/d")
    shell.disk.mkdir(b"/elsewhere")
    shell.v1().subscribe(b"/elsewhere", Scope.DIRECTORY)
    client = shell.v1()
    client.subscribe(b"/d", Scope.DIRECTORY)
    client.reads = False
    shell.disk.touch(b"/d/first")  # this is what fills the socket
    shell.run_once()
    shell.disk.touch(b"/elsewhere/f")
    shell.run_once()
    shell.monitor.tree.floor = shell.monitor.tree.tick
    client.rows()
    shell.disk.touch(b"/d/second")
    shell.run_once()
    client.read()
    assert as_words(client.rows()) == ["created /d/second"]


# -- long listings


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A directory whose listing takes several pieces."""
    monkeypatch.setattr(outbox, "PIECE_ROWS", 4)
    shell = Shell()
    shell.disk.makedirs(b"/d")
    for number in range(10):
        shell.disk.touch(b"/d/%d" % number)
    return shell


def reading_slowly(shell: Shell) -> V1Client:
    """A client that asked for /d, and whose listing is still to be taken."""
    client = shell.v1()
    client.reads = False
    client.outbox.is_blocked = True
    client.subscribe(b"/d", Scope.DIRECTORY)
    shell.run_once()
    client.outbox.is_blocked = False
    return client


def test_a_long_listing_is_taken_in_pieces(long: Shell) -> None:
    client = reading_slowly(long)
    sizes = []
    while data := client.outbox.take():
        sizes.append(len(data))
        assert client.outbox.is_listing is (len(sizes) < 3)
    assert sizes == [4, 4, 3]
    assert client.outbox.backlog == 0
    assert {row.path for _, row in client.received} == {
        b"",
        *(b"/d/%d" % number for number in range(10)),
    }


def test_what_happens_during_a_long_listing_follows_it(long: Shell) -> None:
    client = reading_slowly(long)
    assert client.outbox.take() == b"...."
    long.disk.unlink(b"/d/9")
    long.disk.touch(b"/d/new")
    long.run_once()
    while client.outbox.take():
        pass
    words = as_words([row for _, row in client.received])
    assert len(words) == 13
    assert "exists /d/9" in words
    assert words[-2:] == ["deleted /d/9", "created /d/new"]


def test_a_long_listing_ends_with_its_subscription(long: Shell) -> None:
    client = reading_slowly(long)
    assert client.outbox.take()
    [subscription] = client.subscriptions
    client.outbox.forget(subscription)
    assert client.outbox.take() == b""
    assert not client.outbox.is_listing
