"""Reads the object in one of Watchman's configuration files.

Apart from what is in it, because `gamin watchman` reads such files too, before it can
start a server: msgspec takes longer to import than all the rest of that.
"""

import json
from typing import Any

from gamin.protocol.watchman.errors import BadRequest

MAX_SIZE = 1 << 20
"""Bytes of a file that are read."""


def read_object(text: bytes, path: str) -> dict[str, Any]:
    """The object in the file at `path`. Raises BadRequest."""
    try:
        given = json.loads(text.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"failed to parse json from {path}: {error}") from None
    if not isinstance(given, dict):
        raise BadRequest(f"failed to parse json from {path}: expected an object")
    return given
