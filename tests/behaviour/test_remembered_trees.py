"""A server ends, files change, and the next server names exactly these changes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gamin
from gamin import Event, Kind
from gamin.client.connect import connect_watchman
from testkit.asker import Asker
from testkit.remembering import until_saved
from testkit.waiting import eventually
from testkit.watches import (
    SOON,
    aged,
    changed,
    created,
    deleted,
    kill_server,
    signal_server,
)

pytestmark = pytest.mark.usefixtures("state")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for folder in ("kept/deep", "gone/deep", "moved/deep"):
        (tree / folder).mkdir(parents=True)
        for number in range(20):
            (tree / folder / str(number)).touch()
    return tree


def clock_of(tree: Path) -> str:
    """The clock of a watch that has just begun."""
    with gamin.watch(tree, timeout=SOON) as watch:
        assert watch.clock is not None
        return watch.clock


def end_server() -> None:
    signal_server(signal.SIGTERM, ends=True)


def since(tree: Path, clock: str) -> list[Event]:
    with gamin.watch(tree, since=clock, timeout=0) as watch:
        events: list[Event] = []
        while (batch := watch.next(0)) is not None:
            events += batch
        return events


def test_every_kind_of_change_is_reported_and_nothing_else(tree: Path) -> None:
    clock = clock_of(tree)
    end_server()
    (tree / "kept/deep/1").write_text("text")
    (tree / "kept/deep/2").unlink()
    (tree / "kept/deep/3").rename(tree / "kept/three")
    (tree / "kept/new").mkdir()
    (tree / "kept/new/file").touch()
    for number in range(20):
        (tree / "gone/deep" / str(number)).unlink()
    (tree / "gone/deep").rmdir()
    reported = since(tree, clock)
    expected = [
        changed(tree / "kept/deep/1"),
        deleted(tree / "kept/deep/2"),
        deleted(tree / "kept/deep/3"),
        created(tree / "kept/three"),
        created(tree / "kept/new", is_dir=True),
        created(tree / "kept/new/file"),
        *(deleted(tree / "gone/deep" / str(number)) for number in range(20)),
        deleted(tree / "gone/deep", is_dir=True),
    ]
    assert sorted(reported, key=str) == sorted(expected, key=str)


def test_an_unchanged_tree_gives_no_difference(tree: Path) -> None:
    clock = clock_of(tree)
    end_server()
    assert since(tree, clock) == []


def test_a_replaced_directory_is_reported_with_all_its_files(
    tree: Path,
) -> None:
    clock = clock_of(tree)
    end_server()
    (tree / "kept/deep").rename(tree / "away")
    (tree / "moved/deep").rename(tree / "kept/deep")
    reported = since(tree, clock)
    files = {str(tree / "kept/deep" / str(number)) for number in range(20)}
    assert files <= {e.path for e in reported if e.kind is Kind.DELETED}
    assert files <= {e.path for e in reported if e.kind is Kind.CREATED}


def test_changes_right_before_the_end_of_a_server_are_part_of_the_difference(
    tree: Path,
) -> None:
    clock = clock_of(tree)
    with gamin.watch(tree, timeout=SOON) as watch:
        (tree / "first").touch()
        next(watch)
    end_server()
    (tree / "second").touch()
    reported = since(tree, clock)
    assert set(reported) == {created(tree / "first"), created(tree / "second")}


def test_a_clock_outlives_several_servers(tree: Path) -> None:
    clock = clock_of(tree)
    end_server()
    (tree / "first").touch()
    clock_of(tree)
    end_server()
    (tree / "first").unlink()
    (tree / "second").touch()
    assert since(tree, clock) == [created(tree / "second")]


def test_a_watch_of_one_directory_compares_only_its_entries(
    tree: Path,
) -> None:
    with gamin.watch(tree / "kept", recursive=False, timeout=SOON) as watch:
        clock = watch.clock
    end_server()
    (tree / "kept/deep/1").write_text("text")
    (tree / "kept/file").touch()
    with gamin.watch(tree / "kept", recursive=False, since=clock) as watch:
        assert watch.next(0) == [created(tree / "kept/file")]


def test_a_server_saves_while_it_runs_so_that_a_kill_loses_nothing(
    tree: Path, state: Path
) -> None:
    clock = clock_of(tree)
    until_saved(state, clock)
    kill_server()
    (tree / "kept/deep/1").write_text("text")
    (tree / "kept/deep/2").unlink()
    reported = since(tree, clock)
    assert len(reported) == 2
    assert set(reported) == {
        deleted(tree / "kept/deep/2"),
        changed(tree / "kept/deep/1"),
    }


def test_a_name_stands_for_the_last_time_it_was_used(tree: Path) -> None:
    first, _ = gamin.changes(tree, since="n:backup")
    assert {e.kind for e in first} == {Kind.EXISTS}
    (tree / "one").touch()
    assert gamin.changes(tree, since="n:backup")[0] == [created(tree / "one")]
    aged(tree / "one")
    end_server()
    (tree / "two").touch()
    assert gamin.changes(tree, since="n:backup")[0] == [created(tree / "two")]
    assert gamin.changes(tree, since="n:backup")[0] == []


def test_the_clock_of_an_answer_serves_the_next_question(tree: Path) -> None:
    first, clock = gamin.changes(tree, since=None)
    assert {e.path for e in first} == {str(path) for path in tree.rglob("*")}
    (tree / "one").touch()
    reported, clock = gamin.changes(tree, since=clock)
    assert reported == [created(tree / "one")]
    aged(tree / "one")
    end_server()
    (tree / "two").touch()
    assert gamin.changes(tree, since=clock)[0] == [created(tree / "two")]


def test_the_command_prints_the_changes_and_the_clock_last(tree: Path) -> None:
    clock = clock_of(tree)
    (tree / "kept/file").touch()
    lines = run_gamin(*("since", "-r", "--no-vcs-ignore"), clock, str(tree)).stdout
    assert lines.splitlines()[0] == f"created\t{tree / 'kept/file'}"
    assert lines.splitlines()[1].startswith("clock\tc:")
    done = run_gamin("since", "-r", "--name", "x", "--json", str(tree))
    assert "clock" in json.loads(done.stdout.splitlines()[-1])
    (tree / "gone/deep/1").unlink()
    (tree / "kept/other").touch()
    done = run_gamin(
        *("since", "-r", "--name", "x", "--paths", "--relative", "-0", "."), cwd=tree
    )
    assert done.stdout == "kept/other\0"


def test_remembered_trees_can_be_listed_and_forgotten(tree: Path, state: Path) -> None:
    clock = clock_of(tree)
    end_server()
    where = run_gamin("state", "where").stdout.strip()
    assert [where] == [str(file) for file in state.iterdir()]
    assert run_gamin("state", "list").stdout.endswith(f"{tree}\n")
    run_gamin("state", "forget", str(tree))
    assert run_gamin("state", "list").stdout == ""
    assert {e.kind for e in since(tree, clock)} == {Kind.EXISTS}


def run_gamin(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gamin", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=cwd)


def test_a_server_that_was_killed_before_it_saved_lists_everything(tree: Path) -> None:
    clock = clock_of(tree)
    kill_server()
    assert {(e.kind, e.recovered) for e in since(tree, clock)} == {(Kind.EXISTS, True)}


def test_the_state_is_readable_by_its_owner_only(tree: Path, state: Path) -> None:
    clock_of(tree)
    end_server()
    assert state.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in state.iterdir()] == [0o600]


def test_nothing_is_saved_if_that_is_turned_off(
    tree: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMIN_STATE", "off")
    clock = clock_of(tree)
    end_server()
    assert {e.kind for e in since(tree, clock)} == {Kind.EXISTS}
    assert not os.path.exists(state)


def test_what_is_watched_for_good_survives_a_kill(tree: Path, state: Path) -> None:
    root = str(tree.resolve())
    with Asker(connect_watchman()) as asker:
        asker.ask("watch", root)
        asker.ask("trigger", root, {"name": "t", "command": ["true"]})
        eventually(
            lambda: [f for f in state.glob("*.json") if b'"t"' in f.read_bytes()]
        )
    kill_server()
    with Asker(connect_watchman()) as asker:
        assert asker.ask("watch-list")["roots"] == [root]
        eventually(lambda: asker.ask("trigger-list", root)["triggers"])
        assert asker.ask("watch-del", root)["watch-del"] is True
