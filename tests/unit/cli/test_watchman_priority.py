"""A server of low priority is refused only where the configuration says so."""

import json
import os
from pathlib import Path

import pytest

from gamin.cli.watchman_priority import check_priority
from gamin.cli.watchman_service import PriorityTooLow
from gamin.protocol.watchman.errors import BadRequest


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(os, "getpriority", lambda which, who: 5)
    return {"HOME": str(tmp_path), "WATCHMAN_CONFIG_FILE": "/none"}


def configure(environ: dict[str, str], value: object) -> None:
    options = {"min_acceptable_nice_value": value}
    Path(environ["HOME"], ".watchman.json").write_text(json.dumps(options))


def test_any_priority_will_do_without_a_configuration(environ: dict[str, str]) -> None:
    check_priority(environ)


def test_a_greater_nice_value_than_the_configured_one_is_refused(
    environ: dict[str, str],
) -> None:
    configure(environ, 5)
    check_priority(environ)
    configure(environ, 4)
    with pytest.raises(PriorityTooLow) as raised:
        check_priority(environ)
    assert "(nice_value=5, min_acceptable_nice_value=4)" in str(raised.value)
    assert str(raised.value).endswith("Watchman is refusing to start.")


@pytest.mark.parametrize("value", [True, "5", 5.5])
def test_a_value_that_is_no_integer_is_an_error(
    environ: dict[str, str], value: object
) -> None:
    configure(environ, value)
    with pytest.raises(BadRequest, match="to be an integer"):
        check_priority(environ)
