"""`settle` of a watch, with a real server."""

from pathlib import Path

import pytest

import gamin
from testkit.watches import SOON, changed, kill_server


@pytest.mark.usefixtures("server")
def test_settling_reports_what_changes_amount_to(tmp_path: Path) -> None:
    draft, saved = tmp_path / "draft", tmp_path / "saved"
    saved.touch()
    with gamin.watch(tmp_path, settle=0.3, timeout=SOON) as watch:
        before = watch.clock
        (tmp_path / "a").touch()
        (tmp_path / "a").unlink()
        draft.write_text("text")
        draft.replace(saved)
        assert watch.next(0) is None
        assert next(watch) == [changed(saved)]
        assert watch.clock != before


@pytest.mark.usefixtures("server")
def test_a_later_watch_goes_on_with_what_settle_held(tmp_path: Path) -> None:
    """A renamed directory is reported at once, though something older is held."""
    new, before, after = tmp_path / "new", tmp_path / "before", tmp_path / "after"
    before.mkdir()
    (before / "file").touch()
    with gamin.watch(tmp_path, settle=60, timeout=SOON) as watch:
        new.touch()
        before.rename(after)
        assert [event.dest for event in next(watch)] == [str(after)]
        clock = watch.clock
    (after / "file").unlink()
    for settle in (0.1, 0):
        missing = {("deleted", str(after / "file")), ("created", str(new))}
        with gamin.watch(tmp_path, since=clock, settle=settle, timeout=SOON) as watch:
            while missing:
                missing -= {(str(event.kind), event.path) for event in next(watch)}


@pytest.mark.usefixtures("own_server")
def test_what_settles_is_not_lost_with_the_server(tmp_path: Path) -> None:
    with gamin.watch(tmp_path, settle=0.3, timeout=SOON) as watch:
        (tmp_path / "before").touch()
        assert watch.next(0.05) is None
        kill_server()
        (tmp_path / "after").touch()
        found = {event.path for event in next(watch)}
        while len(found) < 2:
            found |= {event.path for event in next(watch)}
        assert found == {str(tmp_path / "before"), str(tmp_path / "after")}
