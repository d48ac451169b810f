"""An answer that took a while, brought up to date at its end."""

from pathlib import Path

import pytest

from gamin.daemon.sessions.watchman.results import ResultBuilder
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.update import Update
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import Query
from testkit.sessions import Home

QUERY = Query(fields=("name", "exists", "new"))


@pytest.fixture
def box(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        (tmp_path / name).touch()
    return tmp_path


class Asked:
    """A query whose rows were found, and not sent yet."""

    def __init__(self, server: Home, box: Path, *, is_fresh: bool = True) -> None:
        server.watcher().ask("watch", str(box))
        (self.root,) = server.watchman.roots.all
        self._server = server
        self.begun = self.root.timeline
        self._since = None if is_fresh else self.begun.latest
        self.found: list[FileRow] = []
        if is_fresh:
            builder = ResultBuilder(self.root.subscription, QUERY)
            self.found = list(builder.rows(self.root.listing(), self.begun))

    def answer(self) -> dict[bytes, tuple[bool, bool]] | None:
        """Whether each name exists, and is new."""
        self._server.service.drive.synchronise()
        steps = Update(self.root, QUERY, self._since).apply(self.found, self.begun)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                rows: list[FileRow] | None = end.value
                break
        if rows is None:
            return None
        return {row.name: (row.exists, row.is_new) for row in rows}


def test_an_answer_to_which_nothing_happened_stays_as_it_is(
    server: Home, box: Path
) -> None:
    asked = Asked(server, box)
    assert asked.answer() == {b"a": (True, True), b"b": (True, True)}


def test_a_fresh_answer_has_what_exists_at_its_end(server: Home, box: Path) -> None:
    asked = Asked(server, box)
    (box / "a").unlink()
    (box / "c").touch()
    assert asked.answer() == {b"b": (True, True), b"c": (True, True)}


def test_an_answer_since_a_clock_names_what_is_gone_as_well(
    server: Home, box: Path
) -> None:
    asked = Asked(server, box, is_fresh=False)
    (box / "a").unlink()
    (box / "c").touch()
    assert asked.answer() == {b"a": (False, False), b"c": (True, True)}


def test_a_root_that_was_replaced_meanwhile_has_no_answer(
    server: Home, box: Path
) -> None:
    asked = Asked(server, box)
    asked.root.number += 1  # the path leads elsewhere now
    assert asked.answer() is None


def test_the_root_of_a_query_is_that_of_the_watch(server: Home, box: Path) -> None:
    assert isinstance(Asked(server, box).root, Root)
