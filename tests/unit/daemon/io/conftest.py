"""The addresses of a session of its own."""

import os
from pathlib import Path

import pytest

from gamin.system.address import Address, Transport, find


@pytest.fixture
def address(session: str, tmp_path: Path) -> Address:
    return find({"GAMIN_SOCKET_DIR": str(tmp_path)}, os.getuid(), session=session)


@pytest.fixture
def in_directory(address: Address) -> Address:
    return address._replace(transport=Transport.DIRECTORY)
