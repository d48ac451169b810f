"""After random acts with and without a server, a client's belief equals the disk."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

import gamin
from gamin import Event, Kind
from testkit.actions.actor import Actor
from testkit.actions.acts import perform
from testkit.actions.real_disk import RealDisk
from testkit.beliefs.watch import Belief, differences, there
from testkit.remembering import until_saved
from testkit.watches import signal_server

ROUNDS = 8
ACTS = 25
FOLDERS, FILES = 200, 100
MANY = 250
"""Files of each kind of change; the tree has FOLDERS * FILES."""


pytestmark = pytest.mark.usefixtures("state")


@pytest.mark.parametrize("seed", range(4))
def test_the_difference_after_every_restart_leads_to_what_is_on_the_disk(
    tmp_path: Path, seed: int
) -> None:
    """A server that was killed may not have saved in time: everything is listed."""
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    tree.mkdir()
    outside.mkdir()
    disk = RealDisk(tree, outside)
    actor = Actor(os.fsencode(tree), os.fsencode(outside), seed)
    belief, clock = Belief(tree), None
    last = None
    for number in range(ROUNDS):
        act(actor, disk)
        reported, clock = gamin.changes(tree, since=clock)
        if last is signal.SIGTERM:
            assert Kind.EXISTS not in {event.kind for event in reported}
        belief.take(reported)
        assert not differences(belief.top, there(tree))
        if number % 3 == 1:
            act(actor, disk)  # the server sees these, and the client does not ask
        last = signal.SIGKILL if number % 4 == 3 else signal.SIGTERM
        signal_server(last, ends=True)


def act(actor: Actor, disk: RealDisk) -> None:
    for _ in range(ACTS):
        with suppress(OSError):
            perform(actor.choose(), disk)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_exactly_the_changed_ones_of_many_files_are_reported(
    tmp_path: Path, state: Path, how: signal.Signals
) -> None:
    tree = tmp_path / "tree"
    for folder in range(FOLDERS):
        (tree / str(folder)).mkdir(parents=True)
        for file in range(FILES):
            (tree / str(folder) / str(file)).touch()
    with gamin.watch(tree) as watch:
        clock = watch.clock
    assert clock is not None
    if how is signal.SIGKILL:
        until_saved(state, clock)
    signal_server(how, ends=True)
    expected: set[Event] = set()
    for number in range(MANY):
        place = tree / str(number % FOLDERS)
        again = number // FOLDERS  # the folder has its turn once more
        changed, new, gone = place / f"{again}", place / "new", place / f"{10 + again}"
        old, renamed = place / f"{20 + again}", place / f"renamed-{again}"
        changed.write_text("text")
        new.touch()
        gone.unlink()
        old.rename(renamed)
        expected |= {Event(Kind.CHANGED, str(changed)), Event(Kind.CREATED, str(new))}
        expected |= {Event(Kind.DELETED, str(path)) for path in (gone, old)}
        expected.add(Event(Kind.CREATED, str(renamed)))
    reported, _ = gamin.changes(tree, since=clock)
    assert set(reported) == expected
    assert len(reported) == len(expected)
