"""What a `.watchmanconfig` may say."""

import json
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


def test_old_clocks_are_forgotten_only_where_one_of_two_options_is_there() -> None:
    def intervals(text: bytes) -> tuple[int, int]:
        config = parse_config(text, "/r/f")
        return config.gc_age_seconds, config.gc_interval_seconds

    assert intervals(b"{}")[1] == 0
    assert intervals(b'{"gc_age_seconds": 5}') == (5, 86_400)
    assert intervals(b'{"gc_interval_seconds": 5}') == (43_200, 5)
    assert intervals(b'{"gc_age_seconds": 5, "gc_interval_seconds": 0}') == (5, 0)


@pytest.mark.parametrize(
    "name", ["hint_num_dirs", "hint_num_files_per_dir", "gc_age_seconds"]
)
def test_a_number_that_is_none_is_found_even_where_it_has_no_effect(name: str) -> None:
    parse_config(f'{{"{name}": 7}}'.encode(), "/r/f")
    with pytest.raises(BadRequest, match=f"/r/f: {name} must be an integer from 0"):
        parse_config(f'{{"{name}": "7"}}'.encode(), "/r/f")


def test_what_has_no_effect_is_accepted_and_kept() -> None:
    given = {"iothrottle": True, "subscription_lock_timeout_ms": 5}
    assert parse_config(json.dumps(given).encode(), "/r/f") == RootConfig(given)
    with pytest.raises(BadRequest, match="iothrottle must be a boolean"):
        parse_config(b'{"iothrottle": 1}', "/r/f")


@given(st.binary())
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with suppress(BadRequest):
        parse_config(text, "/r/f")
