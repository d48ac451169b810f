import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.names import quoted, to_bytes, to_text

names = st.binary().map(lambda name: name.replace(b"\0", b""))


@given(names)
def test_any_name_survives_as_text(name: bytes) -> None:
    assert to_bytes(to_text(name)) == name


@given(names)
def test_any_name_survives_as_json(name: bytes) -> None:
    assert to_bytes(json.loads(quoted(name))) == name


def test_json_of_a_name_is_ascii() -> None:
    assert quoted('a"\n\u00e9'.encode() + b"\xff") == r'"a\"\n\u00e9\udcff"'


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_impossible_file_names_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="no file can be named"):
        to_bytes(text)
