"""The object in one of Watchman's configuration files."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.protocol.watchman.config_file import read_object
from gamin.protocol.watchman.errors import BadRequest


def test_the_members_are_what_was_written() -> None:
    text = b'{"a": [1, null], "b": {"c": "\xff"}}'
    assert read_object(text, "/f") == {"a": [1, None], "b": {"c": "\udcff"}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "Expecting value"),
        (b'{"a": 1,}', "property name"),
        (b"[1]", "expected an object"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_what_is_no_object_is_refused_and_its_file_named(text: bytes, why: str) -> None:
    with pytest.raises(BadRequest, match=f"failed to parse json from /f: .*{why}"):
        read_object(text, "/f")


@given(st.binary() | st.text().map(json.dumps).map(str.encode))
def test_no_text_does_anything_else(text: bytes) -> None:
    with suppress(BadRequest):
        assert isinstance(read_object(text, "/f"), dict)
