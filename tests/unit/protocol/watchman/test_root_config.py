"""What a `.watchmanconfig` may say."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.root_config import RootConfig, parse_config


def test_known_members_are_read_and_all_members_are_kept() -> None:
    config = parse_config(
        b'{"ignore_dirs": ["build/"], "settle": 50, "other": 1}', "/r/f"
    )
    assert (config.ignore_dirs, config.settle) == ((b"build",), 0.05)
    assert config.given == {"ignore_dirs": ["build/"], "settle": 50, "other": 1}


def test_an_empty_one_changes_nothing() -> None:
    assert parse_config(b"{}", "/r/f") == RootConfig()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b'{"a": 1,}', "failed to parse json from /r/f"),
        (b"[1]", "failed to parse json from /r/f: expected an object"),
        (b'{"ignore_vcs": "x"}', "/r/f: ignore_vcs must be an array of strings"),
        (b'{"settle": -1}', "/r/f: settle must be an integer"),
    ],
)
def test_errors_name_the_file(text: bytes, error: str) -> None:
    with pytest.raises(BadRequest) as raised:
        parse_config(text, "/r/f")
    assert str(raised.value).startswith(error)


@given(st.binary())
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with suppress(BadRequest):
        parse_config(text, "/r/f")
