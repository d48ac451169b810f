"""Path patterns of gaminrc: `*` is any text, also across "/"; `?` is one character.

No other character is special. Matching backtracks to the last `*` only, so it takes at
most the length of the pattern times the length of the path.
"""

_ANY = ord("*")
_ONE = ord("?")


def matches(pattern: bytes, path: bytes) -> bool:
    """True if `pattern` covers the whole of `path`."""
    at = here = 0
    star = retry = -1  # the last `*`, and where the text that it stands for ends
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
