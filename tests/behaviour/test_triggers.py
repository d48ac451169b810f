"""Triggers: commands that the server runs for files that changed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.asker import Asker
from testkit.daemon import Daemon, daemon
from testkit.waiting import eventually


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("server")
    with daemon(f"test-triggers-{folder.stat().st_ino}", folder) as served:
        yield served


@pytest.fixture
def client(served: Daemon) -> Iterator[Asker]:
    with Asker(served.watchman()) as client:
        yield client


@pytest.fixture
def root(client: Asker, tmp_path: Path) -> Iterator[Path]:
    root = tmp_path.resolve() / "root"
    root.mkdir()
    client.ask("watch", str(root))
    yield root
    client.ask("watch-del", str(root))


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_a_trigger_runs_for_what_is_there_and_then_for_what_changes(
    client: Asker, root: Path, tmp_path: Path
) -> None:
    (root / "a.c").touch()
    (root / "b.h").touch()
    out = tmp_path / "out"
    definition = {
        "name": "names",
        "command": ["cat"],
        "expression": ["suffix", "c"],
        "stdin": "NAME_PER_LINE",
        "stdout": f">>{out}",
    }
    reply = client.ask("trigger", str(root), definition)
    assert (reply["triggerid"], reply["disposition"]) == ("names", "created")
    eventually(lambda: lines(out) == ["a.c"], what="the first run")
    (root / "c.c").touch()
    (root / "d.h").touch()
    eventually(lambda: lines(out) == ["a.c", "c.c"], what="the second run")
    assert client.ask("trigger-list", str(root))["triggers"] == [definition]
    again = client.ask("trigger", str(root), definition)
    assert again["disposition"] == "already_defined"
    other = {**definition, "append_files": True}
    assert client.ask("trigger", str(root), other)["disposition"] == "replaced"


def test_the_older_form_gets_names_rows_and_clocks(
    client: Asker, root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    script = 'cat; echo "$WATCHMAN_TRIGGER $WATCHMAN_ROOT $WATCHMAN_SINCE" "$@"'
    command = ["sh", "-c", f"({script}) >> '{out}'", "sh"]
    (root / "a b.c").write_text("xy")
    client.ask("trigger", str(root), "old", "*.c", "--", *command)
    eventually(lambda: len(lines(out)) == 2, what="the first run")
    rows, rest = lines(out)
    assert rest == f"old {root}  a b.c", "nothing ran before"
    (root / "a b.c").unlink()
    eventually(lambda: len(lines(out)) == 4, what="the second run")
    assert json.loads(lines(out)[2])[0]["exists"] is False
    rest = lines(out)[3]
    [row] = json.loads(rows)
    assert (row["name"], row["exists"], row["new"], row["size"]) == (
        *("a b.c", True, True),
        2,
    )
    name, where, since, file = rest.split(" ", 3)
    assert (name, where, file) == ("old", str(root), "a b.c")
    assert since.startswith("c:")


def test_changes_during_a_run_wait_for_the_end_of_the_command(
    client: Asker, root: Path, tmp_path: Path
) -> None:
    out, go = tmp_path / "out", tmp_path / "go"
    script = f"cat; echo end; while [ ! -e '{go}' ]; do sleep 0.02; done"
    definition = {
        "name": "slow",
        "command": ["sh", "-c", script],
        "stdin": "NAME_PER_LINE",
        "stdout": f">>{out}",
    }
    (root / "first").touch()
    client.ask("trigger", str(root), definition)
    eventually(lambda: lines(out) == ["first", "end"], what="the first run")
    for name in ("second", "third"):
        (root / name).touch()
        client.since(root, client.ask("clock", str(root))["clock"])
    assert lines(out) == ["first", "end"]
    go.touch()
    eventually(lambda: lines(out).count("end") == 2, what="the second run")
    assert set(lines(out)[2:4]) == {"second", "third"}


def test_a_cut_list_and_its_directory_are_announced(
    client: Asker, root: Path, tmp_path: Path
) -> None:
    (root / "in" / "build").mkdir(parents=True)
    for number in range(3):
        (root / "in" / f"{number}.c").touch()
    out = tmp_path / "out"
    script = "wc -l; echo $WATCHMAN_FILES_OVERFLOW $WATCHMAN_RELATIVE_ROOT; pwd"
    definition = {
        "name": "few",
        "command": ["sh", "-c", script],
        "expression": ["suffix", "c"],
        "relative_root": "in",
        "chdir": "build",
        "stdin": "NAME_PER_LINE",
        "max_files_stdin": 2,
        "stdout": f">{out}",
    }
    client.ask("trigger", str(root), definition)
    expected = ["2", f"true {root}/in", f"{root}/in/build"]
    eventually(lambda: lines(out) == expected, what="the run")


def test_a_deleted_trigger_runs_no_more(
    client: Asker, root: Path, tmp_path: Path
) -> None:
    def definition(name: str) -> dict[str, object]:
        out = f">>{tmp_path / name}"
        command = ["cat"]
        return {
            **{"name": name, "command": command, "stdin": "NAME_PER_LINE"},
            "stdout": out,
        }

    client.ask("trigger", str(root), definition("gone"))
    client.ask("trigger", str(root), definition("kept"))
    reply = client.ask("trigger-del", str(root), "gone")
    assert (reply["deleted"], reply["trigger"]) == (True, "gone")
    assert client.ask("trigger-del", str(root), "gone")["deleted"] is False
    (root / "file").touch()
    eventually(lambda: lines(tmp_path / "kept") == ["file"], what="the other one")
    assert lines(tmp_path / "gone") == []


def test_a_command_that_does_not_exist_harms_nobody(
    client: Asker, root: Path, tmp_path: Path
) -> None:
    (root / "file").touch()
    wrong = {"name": "wrong", "command": ["/no/such/program"]}
    assert client.ask("trigger", str(root), wrong)["disposition"] == "created"
    missing = {"name": "lost", "command": ["true"], "chdir": "/no/such/directory"}
    assert client.ask("trigger", str(root), missing)["disposition"] == "created"
    assert "clock" in client.ask("clock", str(root))
