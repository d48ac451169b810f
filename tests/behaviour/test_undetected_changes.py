"""Changes that the kernel does not report and polling does, as in
docs/guarantees.md."""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gamin
from gamin import Watch
from testkit.daemon import daemon
from testkit.watches import SOON, aged, changed, created, until

SIZE = 4096


@contextmanager
def watching(session: str, folder: Path, *options: str) -> Iterator[Watch]:
    """A watch of `folder/seen`, where `file` is; `folder/unseen/link` is the same."""
    seen, unseen = folder / "seen", folder / "unseen"
    seen.mkdir()
    unseen.mkdir()
    (seen / "file").write_bytes(b"x" * SIZE)
    os.link(seen / "file", unseen / "link")
    aged(seen / "file")
    with (
        daemon(session, folder / "server", *options) as served,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in served.environ.items():
            environment.setenv(name, value)
        with gamin.watch(seen, timeout=SOON) as watch:
            yield watch


@contextmanager
def mapping(path: Path) -> Iterator[mmap.mmap]:
    with path.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as mapped:
        yield mapped


def test_the_kernel_reports_no_write_through_another_hard_link(
    session: str, tmp_path: Path
) -> None:
    with watching(session, tmp_path) as watch:
        with (tmp_path / "unseen/link").open("ab") as file:
            file.write(b"more")
        (tmp_path / "seen/later").touch()
        later = created(tmp_path / "seen/later")
        assert until(watch, later) == [later]


def test_polling_reports_a_write_through_another_hard_link(
    session: str, tmp_path: Path
) -> None:
    with watching(session, tmp_path, "--pollonly") as watch:
        with (tmp_path / "unseen/link").open("ab") as file:
            file.write(b"more")
        until(watch, changed(tmp_path / "seen/file"))


def test_the_kernel_reports_no_write_through_a_mapping(
    session: str, tmp_path: Path
) -> None:
    with (
        watching(session, tmp_path) as watch,
        mapping(tmp_path / "seen/file") as mapped,
    ):
        mapped[0] = ord("y")
        mapped.flush()
        (tmp_path / "seen/later").touch()
        later = created(tmp_path / "seen/later")
        assert until(watch, later) == [later]


def test_polling_reports_a_write_through_a_mapping(
    session: str, tmp_path: Path
) -> None:
    with (
        watching(session, tmp_path, "--pollonly") as watch,
        mapping(tmp_path / "seen/file") as mapped,
    ):
        mapped[0] = ord("y")
        until(watch, changed(tmp_path / "seen/file"))


def test_times_set_after_a_write_through_a_mapping_are_reported(
    session: str, tmp_path: Path
) -> None:
    with watching(session, tmp_path) as watch:
        with mapping(tmp_path / "seen/file") as mapped:
            mapped[0] = ord("y")
        os.utime(tmp_path / "seen/file")
        until(watch, changed(tmp_path / "seen/file"))
