"""The beliefs of clients on a real disk."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gamin.state.client_store import Change, ClientStore, PathKey
from gamin.state.place import Place, Unusable
from gamin.state.saved_client import (
    Asked,
    ClientKey,
    Completeness,
    PathBelief,
    SavedClient,
    ServerKey,
)
from gamin.state.store import Store, Summary

FIRST, SECOND = ServerKey(1, 10), ServerKey(2, 20)
COMPLETE = Completeness(123, 4)
PATH = b"/a", True
BELIEF = PathBelief(True, (5, 6), b"x/y", b"z")
REQUEST = Asked(1, True, b"/a", b"/a")
OTHER = Asked(2, False, b"/b", b"/b")


@pytest.fixture
def clients(tmp_path: Path) -> ClientStore:
    return ClientStore(Store(Place(bytes(tmp_path / "state"), b"s", os.getuid())))


def client(
    number: int = 7,
    server: ServerKey = FIRST,
    asked: Sequence[Asked] = (REQUEST,),
    process: bytes = b"p",
    replaces: ClientKey | None = None,
) -> SavedClient:
    key = ClientKey(*server, number)
    return SavedClient(key, process, list(asked), is_new=True, replaces=replaces)


def save(
    store: ClientStore,
    *saved: SavedClient,
    server: ServerKey = FIRST,
    gone: Sequence[ClientKey] = (),
    paths: Sequence[tuple[PathKey, PathBelief | None]] = ((PATH, BELIEF),),
    is_first: bool = True,
    dead: Sequence[bytes] = (),
) -> bool:
    change = Change(server, COMPLETE, saved, gone, paths)
    return store.save(change, is_first, lambda process: process not in dead)


def numbers(store: ClientStore, process: bytes = b"p") -> list[int]:
    return sorted(past.key.number for past in store.of_process(process))


def test_what_is_saved_of_a_client_is_found_by_its_process(
    clients: ClientStore,
) -> None:
    assert clients.of_process(b"p") == []
    assert save(clients, client(asked=[REQUEST, OTHER]))
    (past,) = clients.of_process(b"p")
    assert past.key == ClientKey(1, 10, 7)
    assert past.completeness == COMPLETE
    assert past.asked == [REQUEST, OTHER]
    assert clients.of_process(b"q") == []
    assert clients.paths(FIRST, [PATH, (b"/b", False)]) == {PATH: BELIEF}
    assert clients.paths(SECOND, [PATH]) == {}


def test_later_saves_add_replace_and_remove(clients: ClientStore) -> None:
    save(clients, client(7), client(8))
    newer = BELIEF._replace(files=b"x")
    assert save(
        clients,
        gone=[ClientKey(*FIRST, 8)],
        paths=[(PATH, newer), ((b"/b", False), PathBelief(False))],
        is_first=False,
    )
    assert numbers(clients) == [7]
    paths = [PATH, (b"/b", False)]
    assert clients.paths(FIRST, paths) == {PATH: newer, paths[1]: PathBelief(False)}
    save(clients, paths=[(PATH, None)], is_first=False)
    assert clients.paths(FIRST, [PATH]) == {}


def test_a_save_to_a_store_that_was_removed_says_so(clients: ClientStore) -> None:
    save(clients, client())
    clients.store.place.remove()
    assert not save(clients, is_first=False)
    assert save(clients, client())


def test_clients_whose_process_is_gone_are_removed_with_their_paths(
    clients: ClientStore,
) -> None:
    save(clients, client())
    save(clients, client(1, SECOND, process=b"q"), server=SECOND, dead=[b"p"])
    assert numbers(clients) == []
    assert clients.paths(FIRST, [PATH]) == {}
    assert numbers(clients, b"q") == [1]
    assert clients.paths(SECOND, [PATH]) == {PATH: BELIEF}


def test_a_client_replaces_what_an_earlier_server_saved_of_it(
    clients: ClientStore,
) -> None:
    save(clients, client(7), client(8))
    save(
        clients,
        client(1, SECOND, replaces=ClientKey(*FIRST, 7)),
        server=SECOND,
    )
    assert numbers(clients) == [1, 8]


@pytest.mark.parametrize(
    ("asked", "left"),
    [([REQUEST], 2), ([OTHER], 3), ([], 3)],
)
def test_a_client_that_asked_for_listings_replaces_one_that_began_as_it(
    clients: ClientStore, asked: list[Asked], left: int
) -> None:
    save(clients, client(7), client(8))
    save(clients, client(1, SECOND, asked), server=SECOND)
    assert len(numbers(clients)) == left


def test_what_is_kept_of_a_path_is_listed_and_forgotten_with_it(
    clients: ClientStore,
) -> None:
    save(clients, client())
    (summary,) = clients.store.summaries()
    assert isinstance(summary, Summary)
    assert (summary.path, summary.generations) == (b"/a", 1)
    assert summary.bytes > 0
    assert clients.store.forget(b"/a") == 1
    assert clients.paths(FIRST, [PATH]) == {}


@pytest.mark.parametrize("saves_trees", [True, False])
def test_what_is_older_than_a_month_is_removed(
    clients: ClientStore, saves_trees: bool
) -> None:
    save(clients, client())
    with closing(sqlite3.connect(clients.store.place.path)) as connection, connection:
        connection.execute("UPDATE client_servers SET saved = saved - 31 * 86400")
    if saves_trees:
        clients.store.save([], [])
    else:
        save(clients, client(1, SECOND, process=b"q"), server=SECOND)
    assert numbers(clients) == []
    assert clients.paths(FIRST, [PATH]) == {}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE clients SET asked = x'00'",
        "UPDATE clients SET asked = 'text'",
        "UPDATE clients SET number = 'x'",
        "UPDATE client_servers SET completeness = NULL",
        "UPDATE clients SET number = 9",
    ],
)
def test_a_damaged_client_is_detected_and_the_store_removed(
    clients: ClientStore, damage: str
) -> None:
    save(clients, client())
    with closing(sqlite3.connect(clients.store.place.path)) as connection, connection:
        connection.execute(damage)
    with pytest.raises(Unusable, match="damaged"):
        clients.of_process(b"p")
    assert clients.of_process(b"p") == []


def test_a_path_in_the_place_of_another_one_is_detected(clients: ClientStore) -> None:
    save(clients, client())
    with closing(sqlite3.connect(clients.store.place.path)) as connection, connection:
        connection.execute("UPDATE client_paths SET path = x'2f62'")
    with pytest.raises(Unusable, match="damaged"):
        clients.paths(FIRST, [(b"/b", True)])
