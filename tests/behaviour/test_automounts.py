"""Real automounts: nothing that the server does has something mounted."""

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import gamin
from gamin.client.connect import connect_watchman
from testkit.asker import Asker
from testkit.automount import Automount, automount
from testkit.waiting import eventually
from testkit.watches import created, until

LATEST = 30.0
"""Seconds in which everything that is to come has come."""


@cache
def can_automount(folder: Path) -> bool:
    if os.geteuid() != 0:
        return False
    try:
        with automount(folder / "tried", "direct"):
            return True
    except OSError:
        return False


@pytest.fixture(params=["direct", "indirect"])
def auto(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    own_server: None,
) -> Iterator[Automount]:
    if not can_automount(tmp_path_factory.getbasetemp()):
        pytest.skip("needs autofs and the right to mount")
    with automount(tmp_path / "tree" / "auto", request.param) as mounted:
        yield mounted


def test_whatever_is_asked_about_an_automount_mounts_nothing(
    auto: Automount, tmp_path: Path
) -> None:
    tree = auto.point.parent
    (tree / "beside").touch()
    query = {"fields": ["name", "size", "mode", "type"]}
    old = gamin.WatchMonitor()
    with (
        gamin.watch(tree, timeout=LATEST, cross_mounts=True) as watch,
        gamin.watch(auto.point, timeout=LATEST),
        Asker(connect_watchman(start=True)) as asking,
    ):
        old.watch_directory(str(auto.point), lambda path, event: None)
        old.watch_file(str(auto.point / "inside"), lambda path, event: None)
        asking.watch(tree)
        assert asking.ask("query", str(tree), query)["files"]
        for request in ("watch-project",), ("watch",), ("clock",), ("query", query):
            asking.write(request[0], str(auto.point), *request[1:])
            asking.read()  # an error would be an answer, too
        (tree / "new").touch()
        assert created(tree / "new") in until(watch, created(tree / "new"))
        assert not auto.is_triggered
    old.disconnect()


def test_another_program_that_looks_into_it_has_it_mounted(auto: Automount) -> None:
    looking = subprocess.Popen(
        ["ls", str(auto.point / "inside")],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: auto.is_triggered, what="a request to mount")
    finally:
        looking.kill()
        auto.end()
        looking.wait(10)
