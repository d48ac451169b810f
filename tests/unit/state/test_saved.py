"""Packing of saved trees: what is packed comes back, and damage is detected."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.core.model.belief import NONE, Belief, DirectoryBelief
from gamin.state.saved import Damaged, SavedTree, digest, pack, unpack

TOP = DirectoryBelief(b"r", NONE, 0, 5, True, b"a/b\xff", b"", (1,), (), (), ())
BELOW = DirectoryBelief(
    b"d", 0, 0, 5, True, b"c", b"", (), ((b"c", (5, 0, 0, 0, False)),), (), ()
)
TREE = SavedTree(9, 12345, ((1, 2), None), Belief(9, 0, (TOP, BELOW)))


def repacked(tree: SavedTree) -> SavedTree:
    return unpack(*pack(tree))


def test_packed_trees_are_unpacked_unchanged() -> None:
    assert repacked(TREE) == TREE


def test_any_changed_byte_is_detected() -> None:
    data, checksum = pack(TREE)
    for at in range(len(data)):
        mutated = bytearray(data)
        mutated[at] ^= 1 << random.Random(at).randrange(8)
        with pytest.raises(Damaged):
            unpack(bytes(mutated), checksum)
        with pytest.raises(Damaged):
            unpack(data[:at], checksum)


@given(st.binary())
def test_any_bytes_with_a_right_checksum_are_a_tree_or_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        unpack(data, digest(data))


@pytest.mark.parametrize(
    "directories",
    [
        (),
        (TOP,),
        (TOP._replace(parent=0), BELOW),
        (TOP, BELOW._replace(parent=1)),
        (TOP, BELOW._replace(parent=NONE)),
        (TOP, BELOW._replace(tombstones=(7,))),
        (TOP, BELOW._replace(moved_away=((3, -1),))),
    ],
)
def test_an_index_that_leads_nowhere_is_damage(
    directories: tuple[DirectoryBelief, ...],
) -> None:
    belief = TREE.belief._replace(directories=directories)
    with pytest.raises(Damaged):
        repacked(TREE._replace(belief=belief))


def test_values_of_another_type_are_damage() -> None:
    import zlib

    data = zlib.compress(msgspec.msgpack.encode([9, "x", [], []]))
    with pytest.raises(Damaged):
        unpack(data, digest(data))
