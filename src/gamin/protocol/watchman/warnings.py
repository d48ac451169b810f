"""What the member `warning` of a reply or a message says about a root."""

from collections.abc import Iterable

from gamin.protocol.watchman.names import to_text

MAX_UNREADABLE = 10
"""Directories that cannot be listed which a warning names."""
ADVICE_PAGE = "https://facebook.github.io/watchman/docs/troubleshooting.html"


def _recrawled(root: bytes, count: int, reason: str) -> str:
    """The warning about a tree that was compared with the disk. Clients match on its
    first two lines, up to the colon, and show it once for each of their values."""
    path, times = to_text(root), "time" if count == 1 else "times"
    return (
        f"Recrawled this watch {count} {times}, most recently because:\n"
        f"{path}: {reason}\n"
        "To resolve, please review the information on\n"
        f"{ADVICE_PAGE}#recrawl\n"
        "To clear this warning, run:\n"
        f"`watchman watch-del '{path}' ; watchman watch-project '{path}'`\n"
    )


def _not_listed(directory: bytes) -> str:
    """The warning about a directory without the right to list it."""
    return (
        f"opendir({to_text(directory)}) -> Permission denied. Marking this portion of "
        "the tree deleted"
    )


def warning(
    root: bytes, rescans: int, reason: str, unreadable: Iterable[bytes] = ()
) -> str:
    """The text; empty if there is nothing to say. `rescans` is how often the tree was
    compared with the disk, most recently for that reason; `unreadable` are directories
    relative to the root."""
    texts = [_recrawled(root, rescans, reason)] if rescans > 0 else []
    for name in sorted(unreadable)[:MAX_UNREADABLE]:
        texts.append(_not_listed(root + b"/" + name if name else root))
    return "\n".join(texts)
