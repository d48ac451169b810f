"""Which scans may have met another directory than the one they were meant for."""

from gamin.core.apply.recent_scans import RecentScans
from gamin.core.model.node import Node

ROOT = Node(None, b"")
A = Node(ROOT, b"a")
B = Node(ROOT, b"b")
BELOW_A = Node(A, b"below")


def test_scans_within_a_moved_directory_are_found() -> None:
    scans = RecentScans()
    for node in (A, B, BELOW_A):
        scans.add(node)
    assert set(scans.within(A)) == {A, BELOW_A}
    assert scans.within(BELOW_A) == [BELOW_A]


def test_a_complete_drain_that_started_after_a_scan_makes_it_certain() -> None:
    scans = RecentScans()
    scans.add(A)
    scans.on_drain_started()
    assert scans.within(A) == [A]
    scans.on_drained()
    assert scans.within(A) == []


def test_a_scan_during_a_drain_is_uncertain_until_the_next_one() -> None:
    scans = RecentScans()
    scans.on_drain_started()
    scans.add(A)
    scans.on_drained()
    assert scans.within(A) == [A]
    scans.on_drain_started()
    scans.on_drained()
    assert scans.within(A) == []


def test_a_drain_that_is_not_complete_makes_nothing_certain() -> None:
    scans = RecentScans()
    scans.add(A)
    scans.on_drain_started()
    scans.on_drain_started()
    assert scans.within(A) == [A]
