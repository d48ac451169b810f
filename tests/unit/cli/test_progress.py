"""The progress line: only on a terminal, only if it takes long, gone at the end."""

import io
from pathlib import Path

import pytest

from gamin.cli.progress import progress, watched_directories
from testkit.waiting import eventually


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_long_set_up_shows_its_figures_and_erases_them() -> None:
    screen = Screen()
    figures = iter([1234, 5678])
    with progress(screen, count=lambda: next(figures, None), first_seconds=0):
        eventually(lambda: "1,234 directories" in screen.getvalue())
    assert screen.getvalue().endswith("\r\x1b[K")


def test_a_short_set_up_shows_nothing() -> None:
    screen = Screen()
    with progress(screen, count=lambda: 1, first_seconds=60):
        pass
    assert screen.getvalue() == ""


def test_progress_is_not_shown_without_a_terminal_or_when_turned_off() -> None:
    asked: list[int] = []

    def count() -> int:
        asked.append(1)
        return 1

    with progress(io.StringIO(), count=count, first_seconds=0):
        pass
    with progress(Screen(), enabled=False, count=count, first_seconds=0):
        pass
    assert not asked


def test_progress_without_a_server_has_no_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMIN_SOCKET_DIR", str(tmp_path))
    assert watched_directories() is None
