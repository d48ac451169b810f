"""Roots that a request is about, before it has a subscriber there."""

from contextlib import suppress
from pathlib import Path

import pytest

from gamin.daemon.io.errands import MountStalled
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import Roots
from testkit.sessions import Home


@pytest.fixture
def roots(server: Home) -> Roots:
    return server.watchman.roots


@pytest.fixture
def root(server: Home, roots: Roots, tmp_path: Path) -> Root:
    """A root whose subscriber has left."""
    peer = server.watcher()
    peer.ask("subscribe", str(tmp_path), "s", {"fields": ["name"], "watch": True})
    [root] = roots.all
    peer.ask("unsubscribe", str(tmp_path), "s")
    roots._forget_reaper(root)
    return root


def test_a_root_is_released_when_the_request_that_needs_it_fails(
    roots: Roots, root: Root
) -> None:
    with suppress(MountStalled), roots.needed.during(root):
        assert root in roots.needed
        roots.release(root)
        assert root.reaper is None
        raise MountStalled(b"/mnt")
    assert root not in roots.needed
    assert root.reaper is not None


def test_one_of_two_requests_releases_nothing(roots: Roots, root: Root) -> None:
    with roots.needed.during(root):
        with roots.needed.during(root):
            pass
        assert root in roots.needed
        assert root.reaper is None


def test_a_root_with_a_subscriber_stays(
    server: Home, roots: Roots, root: Root, tmp_path: Path
) -> None:
    with roots.needed.during(root):
        wish = {"fields": ["name"], "watch": True}
        server.watcher().ask("subscribe", str(tmp_path), "s", wish)
    assert root in roots.needed
    assert root.reaper is None
