import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.codec.directory_listing import (
    decode_folders,
)
from gamin.protocol.watchman.names import to_text
from testkit.watchman_wire import encode_folders

NAMES = st.binary(min_size=1, max_size=4).filter(
    lambda name: b"/" not in name and name not in (b".", b"..")
)
"""Any bytes that the kernel takes for a name; NUL only makes them harder."""
PATHS = st.lists(NAMES, max_size=3).map(b"/".join)
"""And as well the names in a directory, joined."""


@given(st.dictionaries(PATHS, st.none() | PATHS))
def test_a_written_listing_is_read_back(folders: dict[bytes, bytes | None]) -> None:
    text = json.loads(encode_folders(folders.items()))
    assert decode_folders(text) == {
        to_text(path): None if names is None else to_text(names)
        for path, names in folders.items()
    }


def test_a_listing_is_a_text_of_directories_and_names() -> None:
    folders = [(b"", b'd/\xff/"'), (b"d", b""), (b"dark", None)]
    assert encode_folders(folders) == b'"//d/\\udcff/\\"//d////dark//."'


@pytest.mark.parametrize("text", ["x", "//a//b", "a//b//c"])
def test_a_directory_without_its_names_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_folders(text)
