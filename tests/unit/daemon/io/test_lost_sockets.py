"""Sockets that go while a server listens, and are made again."""

import logging
import os
import shutil
import socket
from pathlib import Path

import pytest

from gamin.daemon.io.addresses import (
    Language,
    acquire,
)
from gamin.system import dial
from gamin.system.address import Address
from gamin.system.socketdir import open_checked
from tests.unit.daemon.io.test_addresses import (
    acquired,
    answers,
    folder,
    held_by_a_stranger,
    original_file,
    watchman_file,
)


def test_when_all_is_well_there_is_nothing_to_restore(address: Address) -> None:
    with acquired(address) as listening:
        before = list(listening.listeners)
        assert listening.restore() == ([], [])
        assert listening.listeners == before


def test_a_deleted_socket_file_is_made_again(
    in_directory: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with acquired(in_directory) as listening:
        shutil.rmtree(folder(in_directory))
        lost, new = listening.restore()
        assert [each.language for each in lost] == list(Language)
        assert [each.language for each in new] == list(Language)
        assert answers(original_file(in_directory))
        assert answers(watchman_file(in_directory))
    assert len(caplog.messages) == 2


def own_socket(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    path.chmod(0o640)
    listening.listen()
    return listening


def test_a_socket_that_only_this_server_makes_is_made_again_as_it_was(
    address: Address, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "own"
    listening = acquire(address, own=[own_socket(path)])
    try:
        assert listening.restore() == ([], [])
        path.unlink()
        lost, new = listening.restore()
        assert [each.where for each in (*lost, *new)] == [str(path), str(path)]
        assert answers(path)
        assert path.stat().st_mode & 0o777 == 0o640
        assert not listening.is_cut_off
    finally:
        listening.close()


def test_a_server_that_cannot_make_its_own_socket_again_is_cut_off(
    address: Address, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "place" / "own"
    path.parent.mkdir()
    listening = acquire(address, own=[own_socket(path)])
    try:
        shutil.rmtree(path.parent)
        listening.restore()
        assert listening.is_cut_off
    finally:
        listening.close()


def test_a_runtime_directory_that_goes_and_comes_is_followed(
    address: Address, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    with acquired(address._replace(runtime=bytes(runtime))) as listening:
        shutil.rmtree(runtime)
        listening.restore()
        assert answers(watchman_file(address))
        runtime.mkdir(mode=0o700)
        watchman_file(address).unlink()
        listening.restore()
        assert answers(runtime / "gamin" / os.fsdecode(address.watchman_file))


def test_an_abstract_name_that_becomes_free_is_taken_in_addition(
    address: Address,
) -> None:
    with held_by_a_stranger(address):
        listening = acquire(address)
    try:
        _, (new,) = listening.restore()
        assert new.language is Language.ORIGINAL
        assert answers(address.abstract)
        assert answers(original_file(address))
    finally:
        listening.close()


def test_a_server_whose_address_another_one_took_meanwhile_is_superseded(
    in_directory: Address,
) -> None:
    with acquired(in_directory) as listening:
        shutil.rmtree(folder(in_directory))
        with acquired(in_directory):
            listening.restore()
            assert listening.superseded_by is not None
            assert listening.superseded_by.pid == os.getpid()


def test_a_process_that_takes_no_calls_does_not_make_a_running_server_wait(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    dialed = dial.dial

    def noting(where: bytes, patience: float) -> socket.socket:
        waits.append(patience)
        return dialed(where, patience)

    with acquired(address) as listening, socket.socket(socket.AF_UNIX) as silent:
        watchman_file(address).unlink()
        opened = open_checked(address.directory, address.uid)
        assert opened is not None
        with opened:
            silent.bind(place := opened.place(address.watchman_file))
            silent.listen(0)
            with dialed(place, 0):  # its queue is full now
                monkeypatch.setattr(dial, "dial", noting)
                listening.restore()
        assert not listening.of(Language.WATCHMAN)
    assert waits == [0.0, 0.0]


def test_a_process_that_keeps_the_lock_does_not_make_a_running_server_wait(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with acquired(address) as listening:
        watchman_file(address).unlink()
        opened = open_checked(address.directory, address.uid)
        assert opened is not None
        with opened, opened.locked(0):
            listening.restore()
            assert not listening.of(Language.WATCHMAN)
            assert answers(address.abstract)
        listening.restore()
        assert answers(watchman_file(address))
