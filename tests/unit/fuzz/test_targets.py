"""The targets of `make fuzz` hold for what hypothesis finds in a moment."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.seeds import SEEDS
from fuzz.targets import TARGETS
from gamin.core.model.belief import DirectoryBelief
from gamin.protocol.watchman.codec.bser import encode_value
from gamin.state.saved import Directory
from testkit.examples import examples

EXAMPLES = examples(50)
"""Inputs for each target: long runs are for `make fuzz`."""

WORDS = b'[ ] { } " / * ! = \\ poll fsset a'.split()
BYTES = [b" ", b"\n", b"\0", b"\0\1", b"\3\xff"]
ANY = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from(WORDS + BYTES), max_size=60).map(b"".join),
)
PIECES = st.sampled_from(WORDS + BYTES) | st.binary(max_size=3)
EDITS = st.lists(
    st.tuples(st.integers(0, 300), st.just(None) | st.integers(0, 3), PIECES),
    max_size=2,
)
"""Where bytes of a seed are replaced, how many (None: as many), and by which."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 40), 1 << 40) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab\xff"), inner)
    ),
    max_leaves=9,
)
NUMBERS = st.lists(st.integers(1, 4), max_size=3).map(tuple)
DIRECTORIES = st.lists(
    st.builds(
        lambda number, name, *others: Directory(
            None, DirectoryBelief(number, name, 0, 5, True, name, b"", *others)
        ),
        st.integers(1, 4),
        st.binary(max_size=9),
        NUMBERS,
        st.just(()),
        NUMBERS,
        st.lists(
            st.tuples(st.integers(0, 9), st.integers(1, 4), st.integers(0, 9)),
            max_size=2,
        ).map(tuple),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=4,
)
ENCODED = {
    "bser": VALUES.map(lambda value: encode_value(value, has_text_type=True)),
    "json_requests": st.lists(VALUES, max_size=3).map(
        lambda arguments: msgspec.json.encode(["query", "/root", *arguments])
    ),
    "store": DIRECTORIES.map(msgspec.msgpack.encode),
}
"""Values of the targets that read one value only: any two bytes are not another one."""


def edited(seeds: list[bytes], edits: list[tuple[int, int | None, bytes]]) -> bytes:
    data = b"".join(seeds)
    for at, length, piece in edits:
        start = at % (len(data) + 1)
        end = start + (len(piece) if length is None else length)
        data = data[:start] + piece + data[end:]
    return data


def likely(name: str) -> st.SearchStrategy[bytes]:
    """Some of the target's seeds one after another or another value, most of them with
    a mistake."""
    one = st.sampled_from(SEEDS[name]) | ENCODED.get(name, st.nothing())
    several = one.map(lambda seed: [seed])
    if name not in ENCODED:
        several |= st.lists(one, min_size=2, max_size=3)
    return st.builds(edited, several, st.just([]) | EDITS) | ANY


def test_every_target_has_seeds() -> None:
    assert SEEDS.keys() == TARGETS.keys()


@pytest.mark.parametrize("name", TARGETS)
def test_it_accepts_its_seeds(name: str) -> None:
    refused = [seed for seed in SEEDS[name] if not TARGETS[name](seed)]
    assert not refused


@pytest.mark.parametrize("name", TARGETS)
def test_its_invariant_holds_for_any_bytes(name: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(likely(name))
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()
