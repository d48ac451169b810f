"""The targets of `make fuzz` hold for what hypothesis finds in a moment."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS

EXAMPLES = 50
"""Inputs for each target: long runs are for `make fuzz`."""

WORDS = b'[ ] { } " / * ! = \\ poll fsset a'.split()
BYTES = [b" ", b"\n", b"\0", b"\0\1", b"\3\xff"]
LIKELY = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(WORDS + BYTES),
        max_size=60,
    ).map(b"".join),
)


@pytest.mark.parametrize("name", TARGETS)
def test_its_invariant_holds_for_any_bytes(name: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(LIKELY)
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()
