"""`settle` of a watch, with a real server."""

from pathlib import Path

import pytest

import gamin
from gamin.protocol.watchman.client.held_clock import join
from gamin.protocol.watchman.client.net_change import NetChange
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


@pytest.mark.parametrize("settle", [0.1, 0])
@pytest.mark.usefixtures("server")
def test_what_was_held_is_not_reported_beside_a_listing(
    tmp_path: Path, settle: float
) -> None:
    """The file is gone, and the server of the clock as well."""
    (tmp_path / "there").touch()
    held = NetChange(existed=False, is_dir=False)
    held.create(is_dir=False)
    clock = join("c:1:2:3:4", [(str(tmp_path / "gone"), held)])
    with gamin.watch(tmp_path, since=clock, settle=settle, timeout=SOON) as watch:
        found = next(watch)
        (tmp_path / "last").touch()
        while not any(event.path == str(tmp_path / "last") for event in found):
            found += next(watch)
    assert {event.path for event in found} == {
        str(tmp_path / name) for name in ("there", "last")
    }
