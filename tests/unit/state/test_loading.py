"""A saved tree is loaded as it was, or not at all."""

import sqlite3
from contextlib import closing

import pytest

from gamin.core.model.belief import DirectoryBelief
from gamin.state.loading import Loading, SavedTree, load
from gamin.state.place import Place, Unusable
from gamin.state.saved import Directory, pack
from gamin.state.store import Entry, Generation, Store
from tests.unit.state.test_saved import BELOW, HEADER, TOP, TREE
from tests.unit.state.test_store import FIRST, KEY, entry

LATER = BELOW._replace(latest_tick=9, files=b"c/new")


@pytest.fixture
def store(place: Place) -> Store:
    return Store(place)


def directories(tree: SavedTree | None) -> dict[bytes, object]:
    """The directories of a tree with what is in them, and who they are."""
    assert tree is not None
    return {
        node.path(): (set(node.names), node.latest_tick, tree.identities.get(node))
        for node in tree.top.subtree()
    }


SAVED = {
    b"/": ({b"a", b"b\xff", b"d"}, 5, (1, 2)),
    b"/d": ({b"c"}, 5, None),
}


def save(store: Store, *chunks: list[Directory]) -> None:
    store.save([entry(chunks=[pack(chunk) for chunk in chunks])], [])


def test_what_was_saved_is_loaded(store: Store) -> None:
    save(store, TREE)
    tree = load(store, FIRST, KEY)
    assert tree is not None
    assert tree.header == HEADER
    assert directories(tree) == SAVED


def test_what_is_not_kept_is_not_loaded(store: Store) -> None:
    assert load(store, FIRST, KEY) is None
    save(store, TREE)
    assert load(store, Generation(9, 9, 9), KEY) is None


def test_the_last_of_several_beliefs_of_a_directory_holds(store: Store) -> None:
    save(store, TREE, [Directory((1, 3), LATER)])
    tree = directories(load(store, FIRST, KEY))
    assert tree == {**SAVED, b"/d": ({b"c", b"new"}, 9, (1, 3))}


def test_a_directory_to_which_nothing_leads_is_left_out(store: Store) -> None:
    save(store, TREE, [Directory(None, TOP._replace(children=()))])
    assert list(directories(load(store, FIRST, KEY))) == [b"/"]


@pytest.mark.parametrize("missing", [TOP, BELOW])
def test_a_tree_that_lacks_a_directory_is_not_loaded_and_the_store_is_kept(
    store: Store, missing: DirectoryBelief
) -> None:
    save(store, [each for each in TREE if each.belief is not missing])
    with pytest.raises(Unusable, match="lacks a directory"):
        load(store, FIRST, KEY)
    assert store.find(FIRST, KEY) is not None


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM chunks",
        "DELETE FROM chunks WHERE place = 1",
        "UPDATE chunks SET data = x'00'",
        "UPDATE chunks SET place = 1 - place WHERE place = 2",
        "UPDATE chunks SET data = (SELECT data FROM chunks WHERE place = 0)",
    ],
)
def test_a_chunk_that_is_gone_or_another_one_is_damage(
    store: Store, change: str
) -> None:
    save(store, TREE, [Directory(None, LATER)])
    with closing(sqlite3.connect(store.place.path)) as connection, connection:
        changed = connection.execute(change).rowcount
    if not changed:
        return
    with pytest.raises(Unusable, match="damaged"):
        load(store, FIRST, KEY)
    assert load(store, FIRST, KEY) is None
    save(store, TREE)
    assert directories(load(store, FIRST, KEY)) == SAVED


def test_a_tree_is_loaded_in_parts(store: Store) -> None:
    many = [[Directory(None, BELOW._replace(number=n))] for n in range(100, 140)]
    save(store, *many, TREE)
    loading = Loading(store, FIRST, KEY)
    assert loading.find() == HEADER
    parts = 0
    while chunks := loading.read():
        parts += 1
        for chunk in chunks:
            loading.take(chunk)
    assert parts > 1
    for _ in loading.restoring():
        pass
    assert directories(loading.tree()) == SAVED


def test_an_entry_of_another_server_changes_nothing(store: Store) -> None:
    save(store, TREE)
    other = Entry(Generation(5, 5, 5), KEY, b"/r", HEADER, [b"no tree at all"])
    store.save([other], [])
    assert directories(load(store, FIRST, KEY)) == SAVED
