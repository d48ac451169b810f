"""What is saved of clients as bytes: read back as it was, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.state.saved import Damaged
from gamin.state.saved_client import (
    Asked,
    Completeness,
    PathBelief,
    pack,
    unpack_asked,
    unpack_belief,
    unpack_completeness,
)

numbers = st.integers(0, 2**63 - 1)
requests = st.lists(
    st.builds(Asked, numbers, st.booleans(), st.binary(), st.binary()), max_size=5
)
beliefs = st.builds(
    PathBelief,
    st.booleans(),
    st.none() | st.tuples(numbers, numbers),
    st.binary(),
    st.binary(),
)


@given(requests, beliefs, numbers, st.binary())
def test_what_is_packed_is_unpacked(
    asked: list[Asked], belief: PathBelief, number: int, owner: bytes
) -> None:
    assert unpack_asked(pack(asked, owner), owner) == asked
    assert unpack_belief(pack(belief, owner), owner) == belief
    complete = Completeness(number, -number)
    assert unpack_completeness(pack(complete, owner), owner) == complete


@given(beliefs, st.data())
def test_any_changed_byte_is_detected(belief: PathBelief, data: st.DataObject) -> None:
    packed = bytearray(pack(belief, b"owner"))
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Damaged):
        unpack_belief(bytes(packed), b"owner")


@given(st.binary() | st.none() | st.integers() | st.text())
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(Damaged):
        unpack_asked(value, b"owner")


def test_what_belongs_to_another_path_is_refused() -> None:
    packed = pack(PathBelief(True), b"/a")
    with pytest.raises(Damaged, match="checksum"):
        unpack_belief(packed, b"/b")
    with pytest.raises(Damaged):
        unpack_asked(packed, b"/a")  # another kind of value


def test_the_entries_are_names_and_whether_they_are_directories() -> None:
    belief = PathBelief(True, None, b"a/b", b"c")
    assert belief.entries() == {b"a": False, b"b": False, b"c": True}
    assert PathBelief(True).entries() == {}
