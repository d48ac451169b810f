"""`gamin compat status`: which libraries watch through the service, and why."""

import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from gamin.cli import compat
from gamin.cli.compat import library
from gamin.cli.exec import SITE

GAMIN = str(Path(sys.executable).with_name("gamin"))


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"watchfiles": "1.3.0", "watchdog": "99", "pywatchman": "4.0.0"}
    monkeypatch.setattr(compat, "version", versions.__getitem__)


def test_without_a_variable_each_library_watches_by_itself() -> None:
    found = library("watchfiles", {})
    assert (found.version, found.uses_gamin) == ("1.3.0", False)
    assert found.why == "GAMIN_REPLACE is not set; gamin exec sets it"
    assert not library("pywatchman", {}).uses_gamin


def test_the_variables_of_gamin_exec_make_them_use_the_service() -> None:
    environ = {"GAMIN_REPLACE": "watchfiles", "PYTHONPATH": f"{SITE}{os.pathsep}/x"}
    assert library("watchfiles", environ).uses_gamin
    other = library("watchdog", environ)
    assert (other.uses_gamin, "does not name it" in other.why) == (False, True)
    assert library("pywatchman", {"WATCHMAN_SOCK": "/run/s"}).uses_gamin


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"GAMIN_REPLACE": "0"}, "GAMIN_REPLACE is 0"),
        ({"GAMIN_REPLACE": "watchfiles"}, "PYTHONPATH has no"),
    ],
)
def test_what_keeps_an_engine_from_being_replaced_is_named(
    environ: dict[str, str], why: str
) -> None:
    found = library("watchfiles", environ)
    assert not found.uses_gamin
    assert why in found.why


def test_a_version_that_was_not_tested_is_named() -> None:
    environ = {"GAMIN_REPLACE": "watchdog", "PYTHONPATH": SITE}
    found = library("watchdog", environ)
    assert (found.uses_gamin, found.why) == (True, "tested with 6.0.0 and 7.1.0")


def test_a_library_that_is_missing_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(compat, "version", missing)
    assert library("watchdog", {}) == ("watchdog", None, False, "not installed")


def test_the_command_prints_a_line_per_library_or_json() -> None:
    environ = {**os.environ, "GAMIN_REPLACE": "0"}
    command = [GAMIN, "compat", "status"]
    text = subprocess.check_output(command, text=True, env=environ)
    assert [line.split()[0] for line in text.splitlines()] == [
        *("python", "watchfiles", "watchdog", "pywatchman")
    ]
    rows = json.loads(subprocess.check_output([*command, "--json"], env=environ))
    assert [row["uses_gamin"] for row in rows[:2]] == [False, False]
