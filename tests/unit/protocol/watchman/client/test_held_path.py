"""Held paths come out of the schedule in the order in which they are due."""

from gamin.protocol.watchman.client.held_path import Held, Schedule
from gamin.protocol.watchman.client.net_change import NetChange


def test_a_held_path_is_neither_asked_about_nor_released() -> None:
    change = NetChange(existed=True, is_dir=False)
    held = Held("/r/a", change)
    assert held.is_open
    assert not held.is_asked
    assert (held.path, held.change) == ("/r/a", change)


def test_paths_come_out_in_their_order_and_released_ones_do_not() -> None:
    schedule, paths = Schedule(), []
    for name, due in (("late", 3.0), ("gone", 1.0), ("soon", 2.0), ("second", 2.0)):
        held = Held(name, NetChange(existed=True, is_dir=False))
        held.due, held.is_open = due, name != "gone"
        schedule.push(held)
    while (due_at := schedule.deadline()) is not None:
        paths.append((due_at, schedule.pop().path))
    assert paths == [(2.0, "soon"), (2.0, "second"), (3.0, "late")]
