"""Directories in which others may write, or race, and peers that do not answer."""

import os
import select
import shutil
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gamin.daemon.io import addresses
from gamin.daemon.io.addresses import (
    AlreadyRunning,
    Language,
    Listening,
    acquire,
)
from gamin.daemon.io.listener import SocketFile
from gamin.system import reach
from gamin.system.address import Address
from gamin.system.dial import dial
from gamin.system.socketdir import UnsafeSocketPath
from testkit.processes import (
    NOBODY,
    common_directory,
    require_root,
)
from testkit.waiting import eventually
from tests.unit.daemon.io.test_addresses import (
    STUCK_SECONDS,
    acquired,
    answers,
    folder,
    held_by_a_stranger,
)

RACES = 50


@pytest.fixture
def open_to_all(address: Address, tmp_path: Path) -> Address:
    """Its only public place is one where others take names too."""
    return address._replace(state=bytes(tmp_path / "home/.local/state/gamin/run"))


def plant(address: Address) -> None:
    """Another user takes our directory, and puts something in it, as in /tmp."""
    require_root()
    folder(address).mkdir(exist_ok=True)
    (folder(address) / "planted").touch()
    os.chown(folder(address), NOBODY, NOBODY)


def watchman_place(listening: Listening) -> Path:
    (listener,) = listening.of(Language.WATCHMAN)
    assert isinstance(listener.file, SocketFile)
    return Path(os.fsdecode(listener.file.path))


def test_where_others_have_our_directory_watchmans_language_is_spoken_at_home(
    open_to_all: Address,
) -> None:
    plant(open_to_all)
    with acquired(open_to_all) as listening:
        place = watchman_place(listening)
        assert place.parent == Path(os.fsdecode(open_to_all.state or b""))
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
        assert answers(place)
        with pytest.raises(AlreadyRunning):
            acquire(open_to_all)
    assert not place.exists()


def test_nothing_is_made_at_home_while_another_place_is_fit(
    open_to_all: Address, tmp_path: Path
) -> None:
    with acquired(open_to_all) as listening:
        assert watchman_place(listening).parent == folder(open_to_all)
        assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("automount", [False, True])
def test_a_home_on_a_mount_that_may_not_answer_is_left_alone(
    open_to_all: Address, tmp_path: Path, automount: bool
) -> None:
    plant(open_to_all)
    reach.use({bytes(tmp_path / "home"): automount})
    try:
        with acquired(open_to_all) as listening:
            assert not listening.of(Language.WATCHMAN)
            listening.restore()
        assert not (tmp_path / "home").exists()
    finally:
        reach.use({})


def test_others_who_have_all_names_of_the_original_language_leave_the_other_one(
    open_to_all: Address,
) -> None:
    plant(open_to_all)
    with held_by_a_stranger(open_to_all):
        with acquired(open_to_all) as listening:
            assert not listening.of(Language.ORIGINAL)
            assert answers(watchman_place(listening))
            with pytest.raises(AlreadyRunning):
                acquire(open_to_all)
        with pytest.raises(UnsafeSocketPath):
            acquire(open_to_all._replace(state=None))


def test_a_server_at_home_is_found_when_the_others_have_gone(
    open_to_all: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the other server takes longer to be called and to restore.
    monkeypatch.setattr(addresses, "_HANDOVER_PATIENCE", LONG)
    plant(open_to_all)
    with held_by_a_stranger(open_to_all):
        first = acquire(open_to_all)
    with closing(first):
        shutil.rmtree(folder(open_to_all))
        # The first one takes the free name as soon as it is called.
        called = threading.Thread(target=restore_when_called, args=[first])
        called.start()
        with pytest.raises(AlreadyRunning):
            acquire(open_to_all)
        called.join()


def restore_when_called(listening: Listening) -> None:
    (watchman,) = listening.of(Language.WATCHMAN)
    while not any(each.file is None for each in listening.listeners):
        if not select.select([watchman.socket], [], [], STUCK_SECONDS)[0]:
            return
        watchman.socket.accept()[0].close()
        listening.restore()


LONG = 20.0
"""Seconds that end before only if the other server does what it should."""

ATTACK = "while :; do mkdir $0 && touch $0/planted; rm -f $0/planted; rmdir $0; done"


def test_who_races_for_our_directory_keeps_no_server_from_its_sockets(
    address: Address, tmp_path: Path
) -> None:
    """The attacker takes the name whenever it is free; of all starts none fails."""
    require_root()
    with common_directory() as base:
        raced = address._replace(base=bytes(base), state=bytes(tmp_path / "run"))
        with subprocess.Popen(
            ["sh", "-c", ATTACK, raced.directory],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            stderr=subprocess.DEVNULL,
        ) as attacker:
            try:
                eventually(lambda: folder(raced).exists(), what="the attack")
                for _ in range(RACES):
                    with acquired(raced) as listening:
                        place = watchman_place(listening)
                        assert place.parent.stat().st_uid == os.getuid()
                        assert answers(place)
            finally:
                attacker.kill()


def test_a_stopped_server_with_a_full_backlog_stays_the_only_one(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gamin.daemon.io.listener._BACKLOG", 0)
    with acquired(address), dial(address.abstract, 5):
        with pytest.raises(AlreadyRunning) as raised:
            acquire(address)
        assert raised.value.pid == os.getpid()
