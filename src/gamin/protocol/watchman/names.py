"""Converts names of files between bytes, `str` and JSON text.

Bytes that are not UTF-8 become surrogate escapes, which `json` reads and writes as
plain \\uDCxx escapes.
"""

from json.encoder import encode_basestring_ascii

from gamin.protocol.watchman.errors import BadRequest

MAX_PATH = 4096  # PATH_MAX on Linux


def to_text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """Return the name's bytes. Raises BadRequest if no file can have this name."""
    try:
        name = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise BadRequest(f"no file can be named {text[:99]!a}") from None
    if b"\0" in name:
        raise BadRequest(f"no file can be named {text[:99]!a}")
    return name


def quoted(name: bytes) -> str:
    """Return the name as a string of JSON, in ASCII."""
    return encode_basestring_ascii(name.decode("utf-8", "surrogateescape"))
