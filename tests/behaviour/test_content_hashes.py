"""`content.sha1hex` in queries and subscriptions, through a real server."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.asker import Asker
from testkit.daemon import Daemon, daemon

FIELDS = ["name", "content.sha1hex"]


@pytest.fixture
def served(session: str, tmp_path: Path) -> Iterator[Daemon]:
    with daemon(session, tmp_path / "server") as served:
        yield served


def sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def by_name(message: dict[str, object]) -> dict[str, object]:
    files = message["files"]
    assert isinstance(files, list)
    return {each["name"]: each["content.sha1hex"] for each in files}


def answer_of(client: Asker) -> dict[str, object]:
    """The next message that is no subscription's."""
    while "subscription" in (message := client.read()):
        pass
    return message


def test_queries_and_subscriptions_have_hashes_and_others_do_not_wait(
    served: Daemon, tmp_path: Path
) -> None:
    root = tmp_path.resolve() / "root"
    (root / "in" / "directory").mkdir(parents=True)
    (root / "in" / "file").write_bytes(b"one")
    os.mkfifo(root / "in" / "pipe")
    with Asker(served.watchman()) as client, Asker(served.watchman()) as other:
        client.ask("watch", str(root))
        query = {"fields": FIELDS, "relative_root": "in"}
        reply = client.ask("query", str(root), query)
        assert by_name(reply) == {
            "directory": None,
            "file": sha1(b"one"),
            "pipe": {"error": "not a regular file"},
        }
        client.ask("subscribe", str(root), "mine", {"fields": FIELDS})
        first = by_name(client.read())
        assert first["in/file"] == sha1(b"one")
        (root / "in" / "file").write_bytes(b"three")
        assert by_name(client.read()) == {"in/file": sha1(b"three")}
        (root / "in" / "file").unlink()
        assert by_name(client.read())["in/file"] is None
        # Requests behind it wait for the hashes, in their order.
        (root / "large").write_bytes(b"z" * (32 << 20))
        client.write("query", str(root), {"fields": FIELDS, "path": ["large"]})
        client.write("version")
        assert "version" in other.ask("version")
        assert by_name(answer_of(client)) == {"large": sha1(b"z" * (32 << 20))}
        assert "files" not in answer_of(client)


def test_a_client_that_leaves_while_files_are_read_harms_nobody(
    served: Daemon, tmp_path: Path
) -> None:
    root = tmp_path.resolve() / "root"
    root.mkdir()
    for number in range(50):
        (root / str(number)).write_bytes(b"x" * (1 << 20))
    with Asker(served.watchman()) as other:
        with Asker(served.watchman()) as client:
            client.ask("watch", str(root))
            client.write("subscribe", str(root), "mine", {"fields": FIELDS})
            client.write("query", str(root), {"fields": FIELDS})
        reply = other.ask("query", str(root), {"fields": FIELDS})
        assert set(by_name(reply).values()) == {sha1(b"x" * (1 << 20))}
    assert served.log() == []
