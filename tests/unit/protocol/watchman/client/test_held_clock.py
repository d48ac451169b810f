import base64
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.protocol.watchman.client.held_clock import MAX_HELD, UNKNOWN, join, split
from gamin.protocol.watchman.client.net_change import FLAGS, NetChange

CLOCK = "c:1:2:3:4"
PATHS = st.text(st.characters(), max_size=5).map(lambda name: f"/r/{name}")


@st.composite
def changes(draw: st.DrawFn) -> NetChange:
    change = NetChange(existed=False, is_dir=False)
    for flag in FLAGS:
        setattr(change, flag, draw(st.booleans()))
    change.source = draw(st.none() | PATHS)
    change.details = draw(st.none() | st.integers(-1, 2**40))
    return change


def members(change: NetChange) -> list[object]:
    return [getattr(change, name) for name in NetChange.__slots__]


def test_every_member_of_a_change_is_in_the_text() -> None:
    assert {*FLAGS, "source", "details"} == set(NetChange.__slots__)


@given(held=st.lists(st.tuples(PATHS, changes()), max_size=4))
def test_what_was_held_is_read_as_it_was_written(
    held: list[tuple[str, NetChange]],
) -> None:
    text = join(CLOCK, held)
    assert text is not None
    assert text.isascii()
    assert "," not in text
    clock, found = split(text)
    assert clock == CLOCK
    assert [(p, members(c)) for p, c in found] == [(p, members(c)) for p, c in held]


def test_a_clock_without_anything_held_is_the_clock() -> None:
    assert join(CLOCK, []) == CLOCK
    assert split(CLOCK) == (CLOCK, [])
    assert join(None, [("/r/a", NetChange(existed=True, is_dir=False))]) is None


def test_more_than_a_text_says_makes_it_the_clock_of_a_listing() -> None:
    change = NetChange(existed=True, is_dir=False)
    held = [(f"/r/{number}", change) for number in range(MAX_HELD + 1)]
    assert join("c:1:2:3:4,c:1:2:4:4", held) == f"{UNKNOWN},{UNKNOWN}"
    text = join(CLOCK, held[:MAX_HELD])
    assert text is not None
    assert len(split(text)[1]) == MAX_HELD


@given(data=st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
def test_a_damaged_text_is_refused(data: bytes) -> None:
    whole = join(CLOCK, [("/r/a", NetChange(existed=True, is_dir=False))])
    assert whole is not None
    text = whole[: -len(data) - 1] + data.decode("latin-1")
    held: list[tuple[str, NetChange]] = []
    with suppress(ValueError):
        _, held = split(text)
    assert [path for path, _ in held] in ([], ["/r/a"])


@pytest.mark.parametrize(
    "rows",
    [
        *('"x"', "[1]", "[[]]", '[["/r",1,null]]', '[["r",1,null,null]]'),
        *('[["/r",128,null,null]]', '[["/r",-1,null,null]]', '[["/r","1",null,null]]'),
        *('[["/r",1,2,null]]', '[["/r",1,null,"x"]]', "[" * 100_000),
    ],
)
def test_rows_of_another_kind_are_refused(rows: str) -> None:
    packed = base64.urlsafe_b64encode(zlib.compress(rows.encode())).decode()
    with pytest.raises(ValueError, match="damaged clock"):
        split(f"{CLOCK};{packed}")


def test_a_text_that_grows_without_measure_is_refused() -> None:
    rows = "[" + " " * 50_000_000 + "]"
    packed = base64.urlsafe_b64encode(zlib.compress(rows.encode())).decode()
    with pytest.raises(ValueError, match="damaged clock"):
        split(f"{CLOCK};{packed}")
