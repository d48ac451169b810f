"""Old clocks are answered as fresh, where the configuration of the root wants that."""

import json
from pathlib import Path

from gamin.daemon.sessions.watchman.aging import Aging
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.tick_times import TickTimes
from testkit.sessions import WatchmanPeer


class Life:
    """A root with these options, whose ticks were reached at certain seconds."""

    def __init__(self, peer: WatchmanPeer, path: Path, **options: int) -> None:
        (path / ".watchmanconfig").write_text(json.dumps(options))
        peer.ask("watch", str(path))
        self.peer, self.path = peer, path
        [self.root] = peer.home.watchman.roots.all
        self.times = TickTimes()
        self.now = 0.0
        self.dropped: list[tuple[Root, int]] = []
        self.aging = Aging(
            self.times,
            lambda root, tick: self.dropped.append((root, tick)),
            lambda: self.root.ready_second + self.now,
        )

    def clock_at(self, second: int) -> str:
        """A clock of that second, in which something happened."""
        (self.path / f"at {second}").touch()
        clock: str = self.peer.ask("clock", str(self.path))["clock"]
        self.times.note(self.root.ready_second + second, int(clock.split(":")[-1]))
        return clock

    def is_fresh(self, clock: str) -> bool:
        answer = self.peer.ask("query", str(self.path), {"since": clock})
        return bool(answer["is_fresh_instance"])


def test_clocks_that_are_too_old_are_fresh_when_that_is_looked_at(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    life = Life(peer, tmp_path, gc_age_seconds=60, gc_interval_seconds=100)
    old, young = life.clock_at(10), life.clock_at(50)
    life.now = 99
    life.aging.consider(life.root)
    assert not life.is_fresh(old)
    life.now = 130
    life.aging.consider(life.root)
    assert life.is_fresh(old)
    assert not life.is_fresh(young)
    assert [root for root, _ in life.dropped] == [life.root]
    life.now = 229
    life.aging.consider(life.root)
    assert len(life.dropped) == 1


def test_clocks_stay_valid_without_such_options(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    life = Life(peer, tmp_path)
    old = life.clock_at(10)
    life.clock_at(50)
    life.now = 1e9
    life.aging.consider(life.root)
    assert not life.is_fresh(old)


def test_each_request_about_a_root_considers_it(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    life = Life(peer, tmp_path)
    considered: list[Root] = []
    peer.home.watchman._commands.watches.on_found = considered.append
    life.clock_at(10)
    assert considered == [life.root]


def test_other_mounts_belong_to_a_root_whose_configuration_says_so(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    mounts = {"allow_crawling_other_mounts": True}
    for name, options in (("one", {}), ("other", mounts)):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".watchmanconfig").write_text(json.dumps(options))
        peer.ask("watch", str(tmp_path / name))
    one, other = peer.home.watchman.roots.all
    assert not one.subscription.request.cross_mounts
    assert other.subscription.request.cross_mounts
