"""Watchman's global configuration, as the command reads it."""

import json
from pathlib import Path

import pytest

from gamin.cli.watchman_configuration import global_options
from gamin.protocol.watchman.errors import BadRequest


def test_the_user_overrides_the_site_member_by_member(tmp_path: Path) -> None:
    site = tmp_path / "site.json"
    environ = {"HOME": str(tmp_path), "WATCHMAN_CONFIG_FILE": str(site)}
    assert global_options(environ) == {}
    site.write_text(json.dumps({"one": 1, "two": 2}))
    (tmp_path / ".watchman.json").write_text(json.dumps({"two": 3}))
    assert global_options(environ) == {"one": 1, "two": 3}


def test_a_file_that_makes_no_sense_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".watchman.json").write_text("{")
    with pytest.raises(BadRequest, match=r"failed to parse json from .*watchman.json"):
        global_options({"HOME": str(tmp_path), "WATCHMAN_CONFIG_FILE": "/none"})
