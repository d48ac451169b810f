"""A publisher's settings: where to send, and which trees; from TOML or options."""

import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple

from gamin.errors import GaminError
from gamin.fleet.message import is_token, token

DEFAULT_STREAM = "GAMIN"


class BadSettings(GaminError):
    """A settings file that cannot be followed; the text says what to change."""


class Servers(NamedTuple):
    """How to reach NATS. Secrets are in files, never in these."""

    urls: tuple[str, ...]
    credentials: str = ""
    """A file of `nsc`, with a JWT and its key."""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""


class PublishedTree(NamedTuple):
    path: str
    name: str
    """Its token in subjects."""
    ignore: tuple[str, ...] = ()
    vcs_ignore: bool = False
    labels: Mapping[str, str] = {}


class Publication(NamedTuple):
    servers: Servers
    stream: str
    host: str
    trees: tuple[PublishedTree, ...]


def tree_name(path: str) -> str:
    """The token of a tree that has no name: its path without the first slash.

    >>> tree_name("/srv/data")
    'srv_data'
    """
    return token(path.strip("/"))


def parse(text: str, hostname: str) -> Publication:
    """Read a settings file. Raises BadSettings.

    `servers` (a list of URLs) and `[[trees]]` with a `path` each are needed; `stream`,
    `host`, `credentials`, `tls_ca`, `tls_cert`, `tls_key`, and of a tree `name`,
    `ignore`, `vcs_ignore` and `labels`, may be given.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"no TOML: {error}") from error
    reader = _Reader(given, "")
    servers = Servers(
        urls=tuple(check_url(url) for url in reader.strings("servers", needed=True)),
        credentials=reader.text("credentials"),
        tls_ca=reader.text("tls_ca"),
        tls_cert=reader.text("tls_cert"),
        tls_key=reader.text("tls_key"),
    )
    trees = reader.tables("trees")
    publication = Publication(
        servers,
        reader.text("stream") or DEFAULT_STREAM,
        _host(reader.text("host")) or host_name(hostname),
        tuple(_tree(each, number) for number, each in enumerate(trees, 1)),
    )
    reader.finish()
    return check(publication)


def check(publication: Publication) -> Publication:
    """Itself. Raises BadSettings where two trees would have one name."""
    if not publication.trees:
        raise BadSettings("there is no tree to publish")
    if not publication.servers.urls:
        raise BadSettings("servers: which ones? (nats://HOST)")
    if not is_token(publication.stream):
        raise BadSettings(f"stream {publication.stream!r}: letters, digits, _ and -")
    names = [tree.name for tree in publication.trees]
    for name in names:
        if names.count(name) > 1:
            raise BadSettings(f"two trees are named {name!r}: give one another name")
    return publication


def host_name(name: str) -> str:
    """The token of a host: its whole name, for `web1` may be in several domains.

    >>> host_name("web1.example.org")
    'web1_example_org'
    """
    return token(name)


def _host(name: str) -> str:
    """Itself. Raises BadSettings if it cannot be part of a subject as it is."""
    if name and not is_token(name):
        raise BadSettings(f"host {name!r}: letters, digits, _ and -")
    return name


def check_url(url: str) -> str:
    """Itself. Raises BadSettings for a wrong one, and for one with a password."""
    if "@" in url:  # before anything else, for the other error repeats the address
        raise BadSettings(
            "a server's address must hold no user or password, which every user of "
            "the machine could read: use a credentials file"
        )
    scheme, _, rest = url.partition("://")
    if scheme not in ("nats", "tls", "ws", "wss") or not rest:
        raise BadSettings(f"{scheme or url!r}: a server is nats://HOST or tls://HOST")
    return url


def _tree(given: dict[str, Any], number: int) -> PublishedTree:
    reader = _Reader(given, f"tree {number}: ")
    path = reader.text("path")
    if not path.startswith("/"):
        raise BadSettings(f"tree {number}: path must be absolute, not {path!r}")
    name = reader.text("name") or tree_name(path)
    if not is_token(name):
        raise BadSettings(f"tree {number}: name {name!r}: letters, digits, _ and -")
    labels = reader.table("labels")
    if not all(isinstance(value, str) for value in labels.values()):
        raise BadSettings(f"tree {number}: labels must be texts")
    tree = PublishedTree(
        path.rstrip("/") or "/",
        name,
        tuple(reader.strings("ignore")),
        reader.flag("vcs_ignore"),
        labels,
    )
    reader.finish()
    return tree


class _Reader:
    """Takes members out of a table; what is left at the end is unknown."""

    def __init__(self, given: dict[str, Any], where: str) -> None:
        self._given = dict(given)
        self._where = where

    def finish(self) -> None:
        if self._given:
            raise BadSettings(f"{self._where}there is no {next(iter(self._given))!r}")

    def text(self, key: str) -> str:
        return str(self._take(key, str, "a text", ""))

    def flag(self, key: str) -> bool:
        return bool(self._take(key, bool, "true or false", False))

    def table(self, key: str) -> dict[str, Any]:
        return dict(self._take(key, dict, "a table", {}))

    def tables(self, key: str) -> list[dict[str, Any]]:
        found = self._take(key, list, "a list of tables ([[trees]])", [])
        if not all(isinstance(each, dict) for each in found):
            raise BadSettings(f"{self._where}{key} must be a list of tables")
        return list(found)

    def strings(self, key: str, *, needed: bool = False) -> list[str]:
        found = self._take(key, list, "a list of texts", [])
        if not all(isinstance(each, str) for each in found) or (needed and not found):
            raise BadSettings(f"{self._where}{key} must be a list of texts")
        return list(found)

    def _take(self, key: str, kind: type, what: str, default: Any) -> Any:
        value = self._given.pop(key, default)
        if not isinstance(value, kind):
            raise BadSettings(f"{self._where}{key} must be {what}")
        return value
