"""Watchman's global configuration, as far as `gamin watchman` itself follows it."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gamin.config.loader import watchman_files
from gamin.protocol.watchman.config_file import MAX_SIZE, read_object
from gamin.system.small_file import opened


def global_options(environ: Mapping[str, str]) -> dict[str, Any]:
    """All that the files say, unchecked. Raises BadRequest for a file that makes no
    sense."""
    options: dict[str, Any] = {}
    for path in watchman_files(environ):
        with suppress(OSError), opened(os.fsencode(path)) as file:
            options |= read_object(file.read(MAX_SIZE), path)
    return options
