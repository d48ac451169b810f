"""Identifies file systems across reboots."""

import os

_POSITIVE = (1 << 63) - 1
"""A store has signed numbers."""


class FileSystemIds:
    """The id of each file system, asked for once.

    The number of a device may be another one after a reboot. The id of statfs(2) is
    made of the file system's UUID, or of that number where there is none.
    """

    def __init__(self) -> None:
        self._by_device: dict[int, int] = {}

    def of(self, device: int, place: int | bytes) -> int:
        """The id of the file system with this device number. `place` is in it: a path,
        or a descriptor. Raises OSError."""
        known = self._by_device.get(device)
        if known is None:
            known = (os.statvfs(place).f_fsid or device) & _POSITIVE
            self._by_device[device] = known
        return known
