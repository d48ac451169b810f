r"""The words of a scenario file: blanks part them, escapes reach every byte.

`\n`, `\t`, `\xff` and a backslash before any other character, which then stands for
itself. `f[1..3]` is three words. What the words mean is `scenario.py`'s affair.
"""

import re

_TOKEN = re.compile(r"[{}|,]|(?:\\.|[^\s{}|,\\])+")
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_RANGE = re.compile(r"(?<!\\)\[(\d+)\.\.(\d+)\]")
_SHORT = {b"n": b"\n", b"t": b"\t"}


def tokens(text: str) -> list[str]:
    """The words of a line, still escaped; each of `{ | } ,` is a word of its own."""
    return _TOKEN.findall(text)


def unescaped(word: str) -> bytes:
    def byte(found: re.Match[bytes]) -> bytes:
        hexadecimal, plain = found.groups()
        if hexadecimal:
            return bytes.fromhex(hexadecimal.decode())
        return _SHORT.get(plain, plain)

    return _ESCAPE.sub(byte, word.encode())


def escaped(word: bytes) -> str:
    """`word` as a scenario file would write it."""
    text = word.decode("latin-1")
    return "".join(
        character
        if character.isascii() and character.isprintable() and character not in " \\"
        else f"\\x{ord(character):02x}"
        for character in text
    )


def expanded(word: str) -> list[bytes]:
    """Each word that `word` stands for: one, or as many as its range has numbers."""
    found = _RANGE.search(word)
    if not found:
        return [unescaped(word)]
    first, last = int(found[1]), int(found[2])
    before, after = word[: found.start()], word[found.end() :]
    return [unescaped(f"{before}{n}{after}") for n in range(first, last + 1)]
