"""Functions on paths, which are bytes."""

import os

# What a terminal or a log reader would act on: C0, DEL, C1, the two line separators
# that some viewers break at, and the controls of writing direction, which reorder the
# text around them (CVE-2021-42574). Letters of right-to-left scripts stay.
_CONTROL = {
    code: repr(chr(code))[1:-1]
    for code in (
        *range(32),
        *range(127, 160),
        0x061C,
        *(0x200E, 0x200F),
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
    )
}


def parent(path: bytes) -> bytes:
    """The directory that holds `path`; "/" holds itself."""
    return path.rpartition(b"/")[0] or b"/"


def join(directory: bytes, name: bytes) -> bytes:
    return directory + name if directory.endswith(b"/") else directory + b"/" + name


def is_within(path: bytes, root: bytes) -> bool:
    """True for `root` and below it; /home/ab is not within /home/a."""
    return path == root or path.startswith(root.rstrip(b"/") + b"/")


def relative(path: bytes, root: bytes) -> bytes:
    """`path` as seen from `root`, empty for `root` itself; it must be within."""
    return path[len(root.rstrip(b"/")) + 1 :]


def printable(path: bytes | str) -> str:
    """A path or text that cannot move a cursor or forge a line, whatever it holds."""
    text = path if isinstance(path, str) else os.fsdecode(path)
    return text.encode(errors="backslashreplace").decode().translate(_CONTROL)
