"""Whether something changed since, as the disk knows it."""

import os
from pathlib import Path

import pytest

from gamin.client.examine import answered, changed_since
from gamin.protocol.v1_client import Event, Examine


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "file"
    made.touch()
    return made


def ctime(path: Path) -> int:
    return path.lstat().st_ctime_ns


def test_only_what_is_newer_has_changed(file: Path) -> None:
    assert changed_since(os.fsencode(file), ctime(file) - 1)
    assert not changed_since(os.fsencode(file), ctime(file))


def test_setting_the_times_back_hides_nothing(file: Path) -> None:
    os.utime(file, (0, 0))
    assert changed_since(os.fsencode(file), ctime(file) - 1)


def test_a_link_changes_with_its_target(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    before = ctime(link)
    while ctime(file) <= before:  # the clock of ctimes advances every few ms
        file.touch()
    assert changed_since(os.fsencode(link), before)


def test_a_dangling_link_changes_with_itself(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("nowhere")
    assert changed_since(os.fsencode(link), ctime(link) - 1)
    assert not changed_since(os.fsencode(link), ctime(link))


def test_what_is_gone_has_not_changed(tmp_path: Path) -> None:
    assert not changed_since(os.fsencode(tmp_path / "gone"), 0)


def test_questions_become_events_or_nothing_and_the_order_stays(file: Path) -> None:
    first, second, third, last = (
        Event(1, 1, name) for name in (b"1", b"2", b"3", b"4")
    )
    path = os.fsencode(file)
    told: list[Event | Examine] = [
        first,
        Examine(path, ctime(file) - 1, second),
        Examine(path, ctime(file), third),
        last,
    ]
    assert list(answered(told)) == [first, second, last]
