"""Reading ahead returns all events, in order, and has a limit."""

from hypothesis import given
from hypothesis import strategies as st

from gamin.backends.read_ahead import MAX_AHEAD_BYTES, ReadAhead
from gamin.system.inotify import BUFFER, MAX_EVENT_BYTES, Reader


class Queue(Reader):
    """A kernel queue with these pieces in it."""

    def __init__(self, *pieces: bytes) -> None:
        self.left = list(pieces)
        self.asked = 0

    def read(self) -> bytes:
        self.asked += 1
        return self.left.pop(0) if self.left else b""

    def queued(self) -> int:
        return sum(map(len, self.left))


FULL = bytes(BUFFER)


def test_an_empty_queue_gives_no_piece() -> None:
    backlog = ReadAhead(Queue())
    backlog.read_ahead()
    assert not backlog
    assert backlog.take() == b""
    assert (backlog.queued_bytes, backlog.taken) == (0, 0)


def test_a_piece_that_is_not_full_was_the_last_one() -> None:
    queue = Queue(b"piece")
    backlog = ReadAhead(queue)
    backlog.read_ahead()
    assert queue.asked == 1
    assert backlog.take() == b"piece"


def test_a_full_piece_may_be_followed_by_more() -> None:
    nearly_full = bytes(BUFFER - MAX_EVENT_BYTES + 1)
    backlog = ReadAhead(Queue(FULL, nearly_full, b"rest"))
    backlog.read_ahead()
    assert backlog.queued_bytes == len(FULL) + len(nearly_full) + len(b"rest")


def test_small_reads_are_joined_to_one_piece() -> None:
    queue = Queue(b"one", b"two")
    backlog = ReadAhead(queue)
    backlog.read_ahead()
    backlog.read_ahead()
    assert backlog.take() == b"onetwo"
    queue.left += [bytes(BUFFER - 2), b"two", b"three"]
    for _ in range(3):
        backlog.read_ahead()
    assert backlog.take() == bytes(BUFFER - 2)
    assert backlog.take() == b"twothree"


def test_reading_ahead_has_a_limit_and_the_rest_is_counted() -> None:
    queue = Queue(*[FULL] * 1000)
    backlog = ReadAhead(queue)
    backlog.read_ahead()
    assert BUFFER * len(queue.left) == 1000 * BUFFER - MAX_AHEAD_BYTES
    assert backlog.queued_bytes == 1000 * BUFFER
    backlog.read_ahead()
    assert BUFFER * len(queue.left) == 1000 * BUFFER - MAX_AHEAD_BYTES
    backlog.take()
    queue.left.append(FULL)
    backlog.read_ahead()
    assert BUFFER * len(queue.left) == 1000 * BUFFER - MAX_AHEAD_BYTES
    assert backlog.queued_bytes == 1001 * BUFFER


@given(
    st.lists(
        st.one_of(
            st.binary(min_size=1, max_size=64), st.just("gather"), st.just("take")
        ),
        max_size=40,
    )
)
def test_everything_comes_out_once_and_in_order(steps: list[bytes | str]) -> None:
    queue = Queue()
    backlog = ReadAhead(queue)
    put = taken = b""
    for step in steps:
        if isinstance(step, bytes):
            queue.left.append(step)
            put += step
        elif step == "gather":
            backlog.read_ahead()
        else:
            taken += backlog.take()
            assert backlog.taken == len(taken)
    while queue.left or backlog:
        backlog.read_ahead()
        taken += backlog.take()
    assert taken == put
    assert backlog.queued_bytes == backlog.taken == len(put)
