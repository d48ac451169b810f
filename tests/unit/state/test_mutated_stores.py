"""Whatever happens to the files of a store, what is read is right or missing.

The files are those of two sessions at several moments, with sqlite's log beside the
database. They are exchanged, cut, and overwritten in places.
"""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import chain, cycle, islice, product
from pathlib import Path
from typing import NamedTuple

from gamin.core.model.belief import DirectoryBelief
from gamin.state.client_store import ClientStore
from gamin.state.loading import load
from gamin.state.place import Place, Unusable
from gamin.state.saved import Directory, Header, pack
from gamin.state.saved_client import PathBelief
from gamin.state.store import Entry, Generation, SavedCursor, Store
from tests.unit.state.test_client_store import FIRST as SERVER
from tests.unit.state.test_client_store import PATH, client
from tests.unit.state.test_client_store import save as save_client
from tests.unit.state.test_loading import directories
from tests.unit.state.test_saved import HEADER

MUTATIONS = 1000
"""Those of files that are only exchanged among them."""
PAGE = 4096
"""Bytes of a page of a database."""
SUBSCRIPTIONS = {b"one": Generation(1, 2, 3), b"other": Generation(1, 2, 4)}
"""Key and generation of each. Both sessions have the same ones, so that only the
session says whose a row is."""
TICKS = (10, 11, 12)
"""The moments at which a store is saved and its files are kept."""
LATER = 20
"""The moment of a save to a store whose files were mutated."""

Files = tuple[bytes, bytes]
"""A database, and the log of what is not in it yet."""


class Saved(NamedTuple):
    """What was saved in one session, at any moment."""

    trees: dict[tuple[bytes, Header], dict[bytes, object]]
    cursors: set[tuple[bytes, str]]
    beliefs: list[PathBelief]


def tree_of(session: bytes, key: bytes, tick: int) -> Entry:
    """A tree that no other session, subscription or moment has."""
    names = b"%s/%s/%d" % (session, key, tick)
    top = DirectoryBelief(1, b"r", 0, tick, True, names, b"", (2,), (), (), (), 0)
    below = DirectoryBelief(2, b"d", 0, tick, True, names, b"", (), (), (), (), 0)
    chunks = [pack([Directory((1, 2), top)]), pack([Directory((1, tick), below)])]
    header = HEADER._replace(tick=tick)
    return Entry(SUBSCRIPTIONS[key], key, b"/r", header, chunks)


def save_all(place: Place) -> tuple[list[Files], Saved]:
    """The files of a session's store after each save, and what was saved."""
    store, session = Store(place), place.session
    files: list[Files] = []
    saved = Saved({}, set(), [])
    store.save([], [])
    # Whoever closes a database last has sqlite remove the log.
    with closing(sqlite3.connect(place.path)) as beside:
        beside.execute("SELECT count(*) FROM trees").fetchone()
        for tick in TICKS:
            entries = [tree_of(session, key, tick) for key in SUBSCRIPTIONS]
            clocks = {(key, f"c:{session!r}:{key!r}:{tick}") for key in SUBSCRIPTIONS}
            cursors = [SavedCursor(key, b"/r", "n", clock) for key, clock in clocks]
            store.save(entries, cursors)
            saved.cursors.update(clocks)
            for each in entries:
                tree = load(store, each.generation, each.key)
                saved.trees[each.key, each.header] = directories(tree)
            belief = PathBelief(True, (5, tick), session, b"%d" % tick)
            is_first = tick == TICKS[0]
            save_client(
                ClientStore(store), client(), paths=[(PATH, belief)], is_first=is_first
            )
            saved.beliefs.append(belief)
            files.append(read_files(place))
    files.append(read_files(place))
    assert [bool(log) for _, log in files] == [True, True, True, False]
    return files, saved


def read_files(place: Place) -> Files:
    log = Path(place.path + "-wal")
    return Path(place.path).read_bytes(), log.read_bytes() if log.exists() else b""


def write_files(place: Place, files: Files) -> None:
    place.remove()
    for suffix, data in zip(("", "-wal"), files, strict=True):
        if data:
            path = Path(place.path + suffix)
            path.write_bytes(data)
            path.chmod(0o600)


def mutated(files: list[Files]) -> Iterator[Files]:
    numbers = random.Random(1)
    while True:
        chosen = [bytearray(data) for data in numbers.choice(files)]
        mutate(numbers.choice([data for data in chosen if data]), numbers)
        yield bytes(chosen[0]), bytes(chosen[1])


def mutate(data: bytearray, numbers: random.Random) -> None:
    whole = bytes(data)
    for _ in range(numbers.choice((0, 1, 1, 8, 200))):
        data[numbers.randrange(len(data))] = numbers.randrange(256)
    if numbers.random() < 0.3:
        del data[numbers.randrange(1, len(data)) :]
    if numbers.random() < 0.2:  # a page of it is where another one belongs
        page, other = (numbers.randrange(len(whole)) // PAGE * PAGE for _ in range(2))
        data[page : page + PAGE] = whole[other : other + PAGE]


def test_a_store_of_which_the_files_are_mutated_or_exchanged_is_right_or_missing(
    place: Place,
) -> None:
    others, _ = save_all(Place(place.directory, b"other", place.uid))
    own, saved = save_all(place)
    both = [*own, *others]
    exchanged = [(one, log) for (one, _), (_, log) in product(both, both)]
    questions = (is_right_tree, is_right_cursor, is_right_client, is_saved)
    cases = chain(
        product(exchanged, questions),
        zip(mutated([*own, *exchanged]), cycle(questions), strict=False),
    )
    found = 0
    for files, is_right in islice(cases, MUTATIONS):
        write_files(place, files)
        with suppress(Unusable):
            found += is_right(place, saved)
    assert found > MUTATIONS // 4, "many mutations are of what is not read"


def is_right_tree(place: Place, saved: Saved) -> bool:
    key = next(iter(SUBSCRIPTIONS))
    tree = load(Store(place), SUBSCRIPTIONS[key], key)
    if tree is None:
        return False
    assert directories(tree) == saved.trees[key, tree.header]
    return True


def is_right_cursor(place: Place, saved: Saved) -> bool:
    key = next(iter(SUBSCRIPTIONS))
    clock = Store(place).cursor(key, "n")
    assert clock is None or (key, clock) in saved.cursors
    return clock is not None


def is_right_client(place: Place, saved: Saved) -> bool:
    clients = ClientStore(Store(place))
    past = clients.of_process(b"p")
    belief = clients.paths(SERVER, [PATH]).get(PATH)
    assert belief is None or belief in saved.beliefs
    assert all(each.asked == client().asked for each in past)
    return belief is not None


def is_saved(place: Place, _: Saved) -> bool:
    """Whether what is saved now is read back."""
    store, key = Store(place), next(iter(SUBSCRIPTIONS))
    entry = tree_of(place.session, key, LATER)
    store.save([entry], [])
    tree = load(store, entry.generation, key)
    assert tree is not None
    assert tree.header == entry.header
    return True
