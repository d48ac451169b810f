"""Patterns of paths: `*` is any text, also across "/"; `?` is one character.

Nothing else is special, and nothing backtracks further than to the last `*`, so a
pattern from an untrusted file costs at most pattern times path.
"""

_ANY = ord("*")
_ONE = ord("?")


def matches(pattern: bytes, path: bytes) -> bool:
    """True if `pattern` covers the whole of `path`."""
    at = here = 0
    star = retry = -1  # the last `*`, and how far it is believed to reach
    while here < len(path):
        wanted = pattern[at] if at < len(pattern) else -1
        if wanted == _ANY:
            star, retry = at, here
            at += 1
        elif wanted == _ONE:
            at, here = at + 1, _after_character(path, here)
        elif wanted == path[here]:
            at, here = at + 1, here + 1
        elif star >= 0:
            retry += 1
            at, here = star + 1, retry
        else:
            return False
    return not pattern[at:].strip(b"*")


def _after_character(path: bytes, here: int) -> int:
    """Past one UTF-8 character; a byte of another encoding counts as one."""
    here += 1
    while here < len(path) and path[here] & 0xC0 == 0x80:
        here += 1
    return here
