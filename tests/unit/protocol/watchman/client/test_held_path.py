"""A path that is held begins open, and with nothing that is due."""

from gamin.protocol.watchman.client.held_path import Held
from gamin.protocol.watchman.client.net_change import NetChange


def test_a_held_path_knows_the_clock_from_before_its_first_event() -> None:
    change = NetChange(existed=True, is_dir=False)
    held = Held("/r/a", change, "c:1:2:3:4")
    assert held.is_open
    assert not held.is_asked
    assert (held.path, held.change, held.clock) == ("/r/a", change, "c:1:2:3:4")
