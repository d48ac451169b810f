"""What either end of the Watchman language writes, as lines of JSON."""

from collections.abc import Iterable

from gamin.events import Row
from gamin.protocol.watchman.codec.compact import compact_text
from gamin.protocol.watchman.codec.directory_listing import Folder, folders_text
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.commands import parse_request
from gamin.protocol.watchman.requests import Request


def read_request(line: bytes) -> Request:
    """What one line of a client asks for."""
    return parse_request(JSON.decode(line))


def encode_compact(rows: Iterable[Row], skip: int) -> bytes:
    """The member `rows` of a message to one of our own clients."""
    return JSON.text(compact_text(rows, skip))


def encode_folders(folders: Iterable[Folder]) -> bytes:
    """The member `names` of a message to one of our own clients."""
    return JSON.text(folders_text(folders))
