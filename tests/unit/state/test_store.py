"""The store on a real disk: what is saved is found, and nothing wrong harms."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gamin.state.place import Place, Unusable
from gamin.state.saved import SavedTree
from gamin.state.store import (
    MAX_GENERATIONS,
    Entry,
    Generation,
    SavedCursor,
    Store,
    Summary,
)
from testkit.servers import can_mount
from tests.unit.state.test_saved import TREE

KEY = b"key"
FIRST = Generation(1, 2, 3)
MUTATIONS = 300
OWN_MOUNTS = ("unshare", "--mount", "--propagation=private")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(os.fsencode(tmp_path / "state"), b"s", os.getuid())


def entry(generation: Generation = FIRST, tree: SavedTree = TREE) -> Entry:
    return Entry(generation, KEY, b"/r", tree)


def test_saved_trees_are_loaded_and_no_others(place: Place) -> None:
    store = Store(place)
    assert store.load(FIRST, KEY) is None
    assert not os.path.exists(place.directory), "asking makes nothing"
    store.save([entry()], [SavedCursor(KEY, b"/r", "n\udcff", "c:1:2:3:4")])
    assert Store(place).load(FIRST, KEY) == TREE
    assert store.load(FIRST, b"other") is None
    assert store.load(Generation(1 << 70, 2, 3), KEY) is None
    assert store.cursor(KEY, "n\udcff") == "c:1:2:3:4"
    assert store.cursor(KEY, "other") is None


def test_a_later_save_replaces_an_earlier_one(place: Place) -> None:
    store = Store(place)
    store.save([entry()], [])
    store.save([entry(tree=TREE._replace(tick=10))], [])
    assert store.load(FIRST, KEY) == TREE._replace(tick=10)


def test_only_the_latest_generations_are_kept(place: Place) -> None:
    store = Store(place)
    for number in range(MAX_GENERATIONS + 2):
        store.save([entry(Generation(number, 0, 0))], [])
    kept = [
        number
        for number in range(MAX_GENERATIONS + 2)
        if store.load(Generation(number, 0, 0), KEY)
    ]
    assert kept == list(range(2, MAX_GENERATIONS + 2))


def test_trees_unused_for_a_month_are_removed(place: Place) -> None:
    store = Store(place)
    store.save([entry()], [])
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute("UPDATE trees SET saved = saved - 31 * 86400")
    store.save([entry(Generation(7, 7, 7))], [])
    assert store.load(FIRST, KEY) is None


def test_a_path_is_forgotten_with_all_below_it(place: Place) -> None:
    store = Store(place)
    for number, path in enumerate((b"/r", b"/r/a", b"/rest")):
        store.save([Entry(Generation(number, 0, 0), path, path, TREE)], [])
    assert store.forget(b"/r") == 2
    [left] = store.summaries()
    assert isinstance(left, Summary)
    assert left.path == b"/rest"


@pytest.mark.parametrize("mode", [0o755, 0o770])
def test_a_directory_that_others_may_enter_is_not_used(place: Place, mode: int) -> None:
    os.mkdir(place.directory)
    os.chmod(place.directory, mode)
    with pytest.raises(Unusable, match="its mode is"):
        Store(place).save([entry()], [])
    assert os.listdir(place.directory) == []


def test_a_link_in_the_place_of_the_directory_is_not_followed(
    place: Place, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir(0o700)
    os.symlink(tmp_path / "elsewhere", place.directory)
    with pytest.raises(Unusable):
        Store(place).save([entry()], [])
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_the_place_of_the_file_is_not_followed(
    place: Place, tmp_path: Path
) -> None:
    Store(place).save([entry()], [])
    os.rename(place.path, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", place.path)
    before = (tmp_path / "elsewhere").read_bytes()
    with pytest.raises(Unusable):
        Store(place).load(FIRST, KEY)
    assert (tmp_path / "elsewhere").read_bytes() == before


@pytest.mark.parametrize("pragma", ["user_version = 2", "application_id = 7"])
def test_a_store_of_another_version_or_program_is_left_as_it_is(
    place: Place, pragma: str
) -> None:
    Store(place).save([entry()], [])
    with closing(sqlite3.connect(place.path)) as connection:
        connection.execute(f"PRAGMA {pragma}")
        connection.commit()
    with pytest.raises(Unusable):
        Store(place).load(FIRST, KEY)
    with pytest.raises(Unusable):
        Store(place).save([entry()], [])
    assert os.path.exists(place.path)


def test_a_damaged_tree_is_right_or_missing_and_can_be_saved_again(
    place: Place, tmp_path: Path
) -> None:
    Store(place).save([entry()], [])
    whole = Path(place.path).read_bytes()
    numbers = random.Random(1)
    for _ in range(MUTATIONS):
        data = bytearray(whole)
        for _ in range(numbers.choice((1, 1, 8, 200))):
            data[numbers.randrange(len(data))] = numbers.randrange(256)
        if numbers.random() < 0.3:
            del data[numbers.randrange(len(data)) :]
        shutil.rmtree(place.directory)
        os.mkdir(place.directory, 0o700)
        Path(place.path).write_bytes(data)
        os.chmod(place.path, 0o600)
        try:
            assert Store(place).load(FIRST, KEY) in (TREE, None)
        except Unusable:
            continue


def test_a_damaged_store_is_removed_and_the_next_save_makes_a_new_one(
    place: Place,
) -> None:
    Store(place).save([entry()], [])
    Path(place.path).write_bytes(b"no database at all" * 1000)
    with pytest.raises(Unusable, match="damaged"):
        Store(place).load(FIRST, KEY)
    Store(place).save([entry()], [])
    assert Store(place).load(FIRST, KEY) == TREE


SAVES = """
import sys
from gamin.state.place import Place
from gamin.state.store import Store
from tests.unit.state.test_store import entry
from tests.unit.state.test_saved import TREE
import os
store = Store(Place(os.fsencode(sys.argv[1]), b"s", os.getuid()))
tick = 9
print("ready", flush=True)
while True:
    tick += 1
    store.save([entry(tree=TREE._replace(tick=tick))], [])
    print(tick, flush=True)
"""


def test_a_kill_in_the_middle_of_a_save_leaves_the_save_before(place: Place) -> None:
    latest = 0
    for round_ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVES, os.fsdecode(place.directory)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for _ in range(2 + round_):
            line = process.stdout.readline()
        process.kill()
        rest = process.communicate()[0].split()
        said = [int(word) for word in (line, *rest) if word.strip().isdigit()]
        latest = max(said)
        saved = Store(place).load(FIRST, KEY)
        assert saved is not None
        assert saved.tick in (latest, latest + 1)


ON_A_SMALL_DISK = """
import os, subprocess, sys
from gamin.state.place import Place, Unusable
from gamin.state.store import Store
from tests.unit.state.test_store import FIRST, KEY, entry
from tests.unit.state.test_saved import TREE
disk = sys.argv[1]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "small", disk], check=True)
store = Store(Place(os.fsencode(disk + "/state"), b"s", os.getuid()))
store.save([entry()], [])
with open(disk + "/filler", "wb", buffering=0) as filler:
    try:
        while True:
            filler.write(bytes(4096))
    except OSError:
        pass
many = TREE.belief.directories[0]._replace(files=os.urandom(300_000).hex().encode())
large = TREE._replace(
    tick=10,
    belief=TREE.belief._replace(directories=(many, TREE.belief.directories[1])),
)
try:
    store.save([entry(tree=large)], [])
except Unusable as error:
    print("full:", "full" in str(error))
os.unlink(disk + "/filler")
print("kept:", store.load(FIRST, KEY) == TREE)
subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
try:
    store.save([entry(tree=large)], [])
except Unusable:
    print("read-only")
"""


@pytest.mark.skipif(not can_mount(), reason="no mounts of its own here")
def test_a_full_disk_and_a_read_only_one_keep_what_was_saved_before(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [*OWN_MOUNTS, sys.executable, "-c", ON_A_SMALL_DISK, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["full: True", "kept: True", "read-only"]
