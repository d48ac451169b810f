"""The two renames that Python does not offer (man 2 renameat2)."""

import ctypes
import os

RENAME_EXCHANGE = 2
"""Both names exist afterwards, each with what the other had."""
RENAME_WHITEOUT = 4
"""The source becomes a character device of number 0; root only."""

_AT_FDCWD = -100

_renameat2 = ctypes.CDLL(None, use_errno=True)["renameat2"]
_renameat2.argtypes = (
    *(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p),
    ctypes.c_uint,
)


def renameat2(
    source: bytes | os.PathLike[str], target: bytes | os.PathLike[str], flags: int
) -> None:
    """Call renameat2. Raises OSError if the kernel or the file system refuses."""
    old, new = os.fsencode(source), os.fsencode(target)
    if _renameat2(_AT_FDCWD, old, _AT_FDCWD, new, flags) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), old)
