"""What subscribers get while a version control system is at work.

States and pauses are tested with the root and with the commands.
"""

from pathlib import Path

import pytest

from testkit.sessions import WatchmanPeer

NAMES = {"fields": ["name"]}


@pytest.mark.parametrize("settle", [None, 0])
@pytest.mark.parametrize("lock", [".git/index.lock", ".hg/wlock"])
def test_a_subscription_gets_everything_when_the_lock_is_gone(
    lock: str, settle: int | None, peer: WatchmanPeer, tmp_path: Path
) -> None:
    (tmp_path / lock).parent.mkdir()
    root = str(tmp_path)
    peer.ask("watch", root)
    query = NAMES if settle is None else {**NAMES, "settle": settle}
    peer.ask("subscribe", root, "waits", query)
    peer.ask("subscribe", root, "does not", {**query, "defer_vcs": False})
    assert {peer.message()["subscription"] for _ in range(2)} == {"waits", "does not"}
    (tmp_path / lock).touch()
    (tmp_path / "half").touch()
    seen: list[str] = []
    while "half" not in seen:
        message = peer.message()
        assert message["subscription"] == "does not"
        seen += message["files"]
    (tmp_path / lock).unlink()
    seen.clear()
    while "half" not in seen:
        message = peer.message()
        if message["subscription"] == "waits":
            seen += message["files"]


def test_a_flush_does_not_wait_for_the_lock(peer: WatchmanPeer, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/index.lock").touch()
    root = str(tmp_path)
    peer.ask("watch", root)
    peer.ask("subscribe", root, "s", NAMES)
    peer.message()
    (tmp_path / "file").touch()
    reply = peer.ask("flush-subscriptions", root, {"sync_timeout": 1000})
    assert reply["synced"] == ["s"]
    assert peer.message()["files"] == ["file"]
