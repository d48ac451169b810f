"""The store on a real disk: what is saved is found, and nothing wrong harms."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gamin.config.state_settings import StateSettings
from gamin.state.place import Place, Unusable
from gamin.state.saved import Header, pack
from gamin.state.store import (
    NOTHING,
    Base,
    Entry,
    Generation,
    SavedCursor,
    Store,
    Summary,
)
from tests.unit.state.test_saved import HEADER, TREE

KEY = b"key"
FIRST = Generation(1, 2, 3)


CHUNK = pack(TREE)


def entry(
    generation: Generation = FIRST,
    tick: int = HEADER.tick,
    chunks: Sequence[bytes] = (CHUNK,),
    base: Base = NOTHING,
) -> Entry:
    header = HEADER._replace(tick=tick)
    return Entry(generation, KEY, b"/r", header, chunks, base)


def read(
    store: Store, generation: Generation = FIRST, key: bytes = KEY
) -> tuple[Header, list[bytes]] | None:
    """What is kept of a tree."""
    kept = store.find(generation, key)
    if kept is None:
        return None
    return kept.header, store.chunks(generation, 0, kept.base.chunks)


def tick_of(store: Store, generation: Generation = FIRST) -> int | None:
    kept = store.find(generation, KEY)
    return None if kept is None else kept.header.tick


def test_saved_trees_are_loaded_and_no_others(place: Place) -> None:
    store = Store(place)
    assert read(store) is None
    assert not os.path.exists(place.directory), "asking makes nothing"
    store.save([entry()], [SavedCursor(KEY, b"/r", "n\udcff", "c:1:2:3:4")])
    assert read(Store(place)) == (HEADER, [CHUNK])
    assert read(store, FIRST, b"other") is None
    assert read(store, Generation(1 << 70, 2, 3)) is None
    assert store.cursor(KEY, "n\udcff") == "c:1:2:3:4"
    assert store.cursor(KEY, "other") is None


def test_a_later_save_replaces_an_earlier_one(place: Place) -> None:
    store = Store(place)
    store.save([entry()], [])
    store.save([entry(tick=10, chunks=[b"x", b"y"])], [])
    assert read(store) == (HEADER._replace(tick=10), [b"x", b"y"])


def test_what_is_new_is_added_to_what_was_saved(place: Place) -> None:
    store = Store(place)
    base = store.save([entry()], [])[FIRST]
    assert base.chunks == 1
    base = store.save([entry(tick=10, chunks=[b"x"], base=base)], [])[FIRST]
    assert read(store) == (HEADER._replace(tick=10), [CHUNK, b"x"])
    assert store.chunks(FIRST, 1, 9) == [b"x"]
    assert store.save([entry(tick=11, chunks=[], base=base)], []) == {FIRST: base}
    assert read(store) == (HEADER._replace(tick=11), [CHUNK, b"x"])


def test_nothing_is_added_to_what_was_forgotten_or_is_another_tree(
    place: Place,
) -> None:
    store = Store(place)
    base = store.save([entry()], [])[FIRST]
    other = base._replace(chain=b"other")
    assert store.save([entry(tick=10, chunks=[b"x"], base=other)], []) == {}
    assert read(store) == (HEADER, [CHUNK])
    store.forget(b"/r")
    assert store.save([entry(tick=10, chunks=[b"x"], base=base)], []) == {}
    assert read(store) is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE trees SET chunks = 0",
        "UPDATE trees SET chain = x'00'",
        "UPDATE trees SET header = x'95090001cd303906'",
        "UPDATE trees SET digest = NULL",
        "UPDATE trees SET header = 'text'",
    ],
)
def test_a_header_of_which_a_part_is_another_one_is_damage(
    place: Place, change: str
) -> None:
    store = Store(place)
    store.save([entry()], [])
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute(change)
    with pytest.raises(Unusable, match="damaged"):
        store.find(FIRST, KEY)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE cursors SET clock = 'c:1:2:3:5'",
        "UPDATE cursors SET clock = NULL",
        "UPDATE cursors SET digest = NULL",
        "UPDATE cursors SET name = 'other'",
        "UPDATE cursors SET key = x'00'",
    ],
)
def test_a_cursor_of_which_a_part_is_another_one_is_damage_or_unknown(
    place: Place, change: str
) -> None:
    store = Store(place)
    store.save([], [SavedCursor(KEY, b"/r", name, "c:1:2:3:4") for name in ("n", "m")])
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute(change + " WHERE name = 'n'")
    if "SET name" not in change and "SET key" not in change:
        with pytest.raises(Unusable, match="damaged"):
            store.cursor(KEY, "n")
        return
    assert store.cursor(KEY, "n") is None
    with pytest.raises(Unusable, match="damaged"):
        store.cursor(*((KEY, "other") if "name" in change else (b"\0", "n")))


@pytest.mark.parametrize("change", ["number = 9", "key = x'39'"])
def test_a_tree_in_the_place_of_another_one_is_damage(
    place: Place, change: str
) -> None:
    store = Store(place)
    store.save([entry()], [])
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute(f"UPDATE trees SET {change}")
    with pytest.raises(Unusable, match="damaged"):
        store.find(FIRST._replace(number=9), KEY) or store.find(FIRST, b"9")


def test_rows_of_another_session_are_damage(place: Place) -> None:
    Store(place).save([entry()], [SavedCursor(KEY, b"/r", "n", "c:1:2:3:4")])
    other = Store(Place(place.directory, b"other", place.uid))
    shutil.copy(place.path, other.place.path)
    with pytest.raises(Unusable, match="damaged"):
        other.find(FIRST, KEY)
    shutil.copy(place.path, other.place.path)
    with pytest.raises(Unusable, match="damaged"):
        other.cursor(KEY, "n")
    assert read(Store(place)) == (HEADER, [CHUNK])


def test_only_the_latest_generations_are_kept(place: Place) -> None:
    store = Store(place)
    for number in range(5):
        store.save([entry(Generation(number, 0, 0))], [], StateSettings(servers=3))
    kept = [number for number in range(5) if read(store, Generation(number, 0, 0))]
    assert kept == [2, 3, 4]
    assert store.chunks(Generation(0, 0, 0), 0, 9) == []


def test_trees_unused_for_a_month_are_removed(place: Place) -> None:
    store = Store(place)
    store.save([entry()], [])
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute("UPDATE trees SET saved = saved - 31 * 86400")
    store.save([entry(Generation(7, 7, 7))], [])
    assert read(store) is None


def test_trees_that_were_saved_longest_ago_make_room(place: Place) -> None:
    store = Store(place)
    large = [os.urandom(400_000)]
    for number in range(4):
        tree = Entry(Generation(number, 0, 0), b"%d" % number, b"/r", HEADER, large)
        store.save([tree], [], StateSettings(megabytes=1))
    kept = [
        number
        for number in range(4)
        if store.find(Generation(number, 0, 0), b"%d" % number)
    ]
    assert kept == [2, 3]


def test_a_tree_that_is_too_large_alone_is_kept(place: Place) -> None:
    store = Store(place)
    store.save([entry(chunks=[os.urandom(1_200_000)])], [], StateSettings(megabytes=1))
    assert read(store) is not None


def test_a_path_is_forgotten_with_all_below_it(place: Place) -> None:
    store = Store(place)
    for number, path in enumerate((b"/r", b"/r/a", b"/rest")):
        tree = Entry(Generation(number, 0, 0), path, path, HEADER, [CHUNK])
        store.save([tree], [])
    assert store.forget(b"/r") == 2
    [left] = store.summaries()
    assert isinstance(left, Summary)
    assert left.path == b"/rest"
    assert left.bytes == len(CHUNK)


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
        Store(place).find(FIRST, KEY)
    assert (tmp_path / "elsewhere").read_bytes() == before


def test_a_damaged_store_is_removed_and_the_next_save_makes_a_new_one(
    place: Place,
) -> None:
    Store(place).save([entry()], [])
    Path(place.path).write_bytes(b"no database at all" * 1000)
    with pytest.raises(Unusable, match="damaged"):
        Store(place).find(FIRST, KEY)
    Store(place).save([entry()], [])
    assert read(Store(place)) == (HEADER, [CHUNK])


SAVES = """
import sys
from gamin.state.place import Place
from gamin.state.store import Store
from tests.unit.state.test_store import entry
import os
store = Store(Place(os.fsencode(sys.argv[1]), b"s", os.getuid()))
tick = 9
print("ready", flush=True)
while True:
    tick += 1
    store.save([entry(tick=tick)], [])
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
        assert tick_of(Store(place)) in (latest, latest + 1)
