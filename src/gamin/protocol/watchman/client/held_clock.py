"""The clock of a watch with `settle`: the server's, and what is not reported yet.

What waits in a client is behind the server's latest clock, and what was reported
meanwhile is not. No single clock says both: after an earlier one, what was reported
since and then removed would be in no difference. So what waits is a part of the text.
"""

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

from gamin.protocol.watchman.client.net_change import FLAGS, NetChange

SEPARATOR = ";"
"""Between the clock and what is held; in no clock of the server."""
MAX_HELD = 1_000
"""Paths in a text at the most. With more of them it is `UNKNOWN`."""
MAX_BYTES = 1_000_000
"""Bytes of what a text says of held paths at the most."""
UNKNOWN = "c:0:0:0:0"
"""A clock of no server: whoever comes with it gets a listing."""

HeldChange = tuple[str, NetChange]
"""A path, and what happened to it since it was last reported."""


def join(clock: str | None, held: Sequence[HeldChange]) -> str | None:
    """The text that says both; the clock itself if nothing is held."""
    if clock is None or not held:
        return clock
    if len(held) > MAX_HELD:
        return ",".join([UNKNOWN] * (clock.count(",") + 1))
    rows = [
        [
            path,
            sum(bool(getattr(change, flag)) << bit for bit, flag in enumerate(FLAGS)),
            change.source,
            change.details,
        ]
        for path, change in held
    ]
    packed = zlib.compress(json.dumps(rows, separators=(",", ":")).encode())
    return clock + SEPARATOR + base64.urlsafe_b64encode(packed).decode()


def split(text: str | None) -> tuple[str | None, list[HeldChange]]:
    """The clock, and what was held. Raises ValueError for what `join` never wrote."""
    clock, _, packed = (text or "").partition(SEPARATOR)
    if text is None or not packed:
        return text, []
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.urlsafe_b64decode(packed), MAX_BYTES)
        if not unpacker.eof:
            raise ValueError
        return clock, [_held(*row) for row in json.loads(data)]
    except (ValueError, TypeError, RecursionError, zlib.error):
        raise ValueError(f"a damaged clock: {text[:40]!r}") from None


def _held(path: Any, bits: Any, source: Any, details: Any) -> HeldChange:
    is_right = isinstance(path, str) and path.startswith("/")
    is_right = is_right and isinstance(bits, int) and 0 <= bits < 1 << len(FLAGS)
    is_right = is_right and isinstance(source, str | None)
    if not is_right or not isinstance(details, int | None):
        raise ValueError
    change = NetChange(existed=False, is_dir=False)
    for bit, flag in enumerate(FLAGS):
        setattr(change, flag, bool(bits >> bit & 1))
    change.source, change.details = source, details
    return path, change
