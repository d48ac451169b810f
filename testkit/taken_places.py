"""A place for sockets that cannot be used: another user has the directory in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gamin.system.address import user_name

NOBODY = 65534
"""A user that is not the one of the tests."""


@contextmanager
def taken_place(base: Path) -> Iterator[None]:
    """`base` is such a place, and the environment names it until the block ends."""
    directory = base / f"fam-{os.fsdecode(user_name(os.getuid()))}"
    if os.getuid() == 0:
        directory.mkdir(parents=True)
        (directory / "kept").touch()
        os.chown(directory, NOBODY, NOBODY)
    else:
        base.mkdir(parents=True, exist_ok=True)
        directory.touch()
        base.chmod(0o500)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GAMIN_SOCKET_DIR", str(base))
        yield
