"""Messages of the stream: CloudEvents in JSON, structured mode; and their subjects.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md

A tree's messages are numbered by an *epoch* and a position in it (`sequence`). Names of
files may be any bytes: `path` is what can be shown, and `path_bytes` (base64) is there
where that is not the name itself.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from gamin.errors import GaminError
from gamin.events import Kind
from gamin.fleet.sequence import Number

PREFIX = "gamin"
"""The first token of every subject."""
CONTENT_TYPE = "application/cloudevents+json"

RESYNC = "resync"
"""The difference is not known: forget the tree, its listing follows."""
LISTING = "listing"
"""A piece of the listing."""
RESYNCED = "resynced"
"""The listing is complete."""
MISSED = "missed"
"""Not sent: a follower says so of messages that the stream has dropped."""

CHANGE_KINDS = tuple(kind.value for kind in Kind if kind is not Kind.EXISTS)
ALL_KINDS = (*CHANGE_KINDS, RESYNC, LISTING, RESYNCED)

MAX_TOKEN = 64
"""Characters of the name of a host or a tree in a subject."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


class BadMessage(GaminError):
    """What came from the stream is no message of a publisher."""


class Place(NamedTuple):
    """A tree of a host, by the names that are part of subjects."""

    host: str
    tree: str

    def subject(self, kind: str) -> str:
        return f"{PREFIX}.{self.host}.{self.tree}.{kind}"

    def __str__(self) -> str:
        return f"{self.host}:{self.tree}"


class Status(NamedTuple):
    """What is known of a file when its change is published."""

    size: int
    mtime_ns: int
    inode: int
    generation: int | None = None
    """That of the inode, where the file system says it."""


class Content(NamedTuple):
    """What one message says, before it is numbered."""

    kind: str
    path: str = ""
    """Relative to the tree; empty for the tree itself and for a whole resync. Bytes
    that are not UTF-8 are surrogate escapes."""
    dest: str | None = None
    is_dir: bool = False
    recovered: bool = False
    status: Status | None = None
    entries: Sequence[tuple[str, bool]] = ()
    """Of a piece of a listing: paths, and whether they are directories."""


class FleetEvent(NamedTuple):
    """A message of the stream as a follower gets it."""

    host: str
    """The name of the host that published it."""
    tree: str
    """The name of the tree on that host."""
    kind: str
    """A value of `gamin.Kind`; or "resync" (forget the tree, its listing follows),
    "listing" (a piece of the listing), "resynced" (the listing is complete) or
    "missed" (the stream has dropped messages of the tree)."""
    path: str
    """The path in the tree; empty for the tree itself. Bytes that are not UTF-8 are
    surrogate escapes."""
    dest: str | None
    """The new path; set for a "moved" one only."""
    is_dir: bool
    """True for a directory; a symbolic link is never one."""
    recovered: bool
    """True when the change was found by comparing with the disk."""
    size: int | None
    """The size in bytes when the change was published; None where it is not known."""
    mtime: float | None
    """The time of modification in seconds since 1970; None where it is not known."""
    clock: str
    """The clock of the host's server after this change."""
    time: str
    """When it was published, by the clock of the host (RFC 3339)."""
    labels: Mapping[str, str]
    """The labels that the settings of the publisher give the tree."""
    epoch: str
    """The name of the numbering of the tree's messages. A publisher begins one when it
    starts, and whenever it may send again what it has sent."""
    sequence: int
    """The position in the epoch, from 0."""
    previous: str
    """The epoch before this one."""
    entries: Sequence[tuple[str, bool]]
    """For a "listing": paths in the tree, and whether they are directories."""
    stream_sequence: int
    """The position in the stream; 0 where it is not known."""
    inode: int | None = None
    """The number of the inode; None where it is not known."""
    generation: int | None = None
    """The generation of the inode, where the file system says it: a later file with
    the same inode has another one."""


def token(name: str) -> str:
    """A name as one token of a subject: other characters become "_".

    >>> token("build.example.org")
    'build_example_org'
    """
    text = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:MAX_TOKEN]
    return text or "_"


def is_token(name: str) -> bool:
    return len(name) <= MAX_TOKEN and _TOKEN.fullmatch(name) is not None


def message_id(place: Place, number: Number) -> str:
    """What JetStream recognizes a repetition by (`Nats-Msg-Id`)."""
    return f"{place.host}/{place.tree}/{number.epoch}/{number.sequence}"


def timestamp(now: datetime) -> str:
    """A time in the form of RFC 3339, in UTC."""
    return now.astimezone(UTC).isoformat().replace("+00:00", "Z")


def encode(
    place: Place,
    content: Content,
    *,
    number: Number,
    clock: str,
    time: str,
    labels: Mapping[str, str],
) -> bytes:
    """One message as JSON. `time` is that of sending, as from `timestamp`."""
    data: dict[str, Any] = {
        "kind": content.kind,
        **_named("path", content.path),
        "is_dir": content.is_dir,
        "clock": clock,
        "epoch": number.epoch,
        "sequence": number.sequence,
    }
    if number.previous:
        data["previous"] = number.previous
    if content.dest is not None:
        data |= _named("dest", content.dest)
    if content.recovered:
        data["recovered"] = True
    if content.status is not None:
        size, mtime_ns, inode, generation = content.status
        data |= {"size": size, "mtime_ns": mtime_ns, "inode": inode}
        if generation is not None:
            data["generation"] = generation
    if content.kind == LISTING:
        data["entries"] = [
            {**_named("path", path), "is_dir": is_dir}
            for path, is_dir in content.entries
        ]
    if labels:
        data["labels"] = dict(labels)
    event = {
        "specversion": "1.0",
        "id": message_id(place, number),
        "source": f"gamin://{place.host}/{place.tree}",
        "type": f"gamin.{content.kind}",
        "subject": data["path"],
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    }
    return msgspec.json.encode(event)


def decode(subject: str, body: bytes, stream_sequence: int = 0) -> FleetEvent:
    """Read a message. Raises BadMessage for anything that `encode` does not make."""
    parts = subject.split(".")
    if len(parts) != 4 or parts[0] != PREFIX:
        raise BadMessage(f"{subject!r} is no subject of a publisher")
    try:
        event = json.loads(body)
        data = event["data"]
        kind = _checked(data["kind"], str)
        if kind not in ALL_KINDS or kind != parts[3]:
            raise BadMessage(f"unknown kind {kind!r} on {subject!r}")
        mtime_ns = data.get("mtime_ns")
        labels = _checked(data.get("labels", {}), dict)
        return FleetEvent(
            host=parts[1],
            tree=parts[2],
            kind=kind,
            path=_name(data, "path"),
            dest=_name(data, "dest") if "dest" in data else None,
            is_dir=_checked(data["is_dir"], bool),
            recovered=_checked(data.get("recovered", False), bool),
            size=_number(data.get("size")),
            mtime=None if mtime_ns is None else _checked(mtime_ns, int) / 1e9,
            clock=_checked(data["clock"], str),
            time=_checked(event["time"], str),
            labels={_checked(k, str): _checked(v, str) for k, v in labels.items()},
            epoch=_checked(data["epoch"], str),
            sequence=_checked(data["sequence"], int),
            previous=_checked(data.get("previous", ""), str),
            entries=_entries(data.get("entries", [])),
            stream_sequence=stream_sequence,
            inode=_number(data.get("inode")),
            generation=_number(data.get("generation")),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadMessage(f"{subject}: {type(error).__name__} {error}") from error


def missed(place: Place) -> FleetEvent:
    """Says that messages of the tree are missing, and will not come."""
    return FleetEvent(
        *place,
        kind=MISSED,
        path="",
        dest=None,
        is_dir=False,
        recovered=False,
        size=None,
        mtime=None,
        clock="",
        time="",
        labels={},
        epoch="",
        sequence=0,
        previous="",
        entries=(),
        stream_sequence=0,
    )


def _named(key: str, name: str) -> dict[str, str]:
    raw = name.encode("utf-8", "surrogateescape")
    shown = raw.decode("utf-8", "replace")
    if shown == name:
        return {key: shown}
    return {key: shown, f"{key}_bytes": base64.b64encode(raw).decode("ascii")}


def _name(data: Mapping[str, Any], key: str) -> str:
    raw = data.get(f"{key}_bytes")
    if raw is None:
        shown: str = _checked(data[key], str)
        return shown
    text = base64.b64decode(_checked(raw, str), validate=True)
    return text.decode("utf-8", "surrogateescape")


def _entries(given: object) -> tuple[tuple[str, bool], ...]:
    return tuple(
        (_name(each, "path"), _checked(each["is_dir"], bool))
        for each in _checked(given, list)
    )


def _number(value: object) -> int | None:
    return None if value is None else _checked(value, int)


def _checked(value: Any, kind: type[Any]) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{value!r:.40} where {kind.__name__} belongs")
    return value
