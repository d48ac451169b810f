"""The numbers of flow control: 4 reports, 6 turns, once a second, 5 s, 200 events."""

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.core.model.node import Node
from gamin.core.throttle.flow_control import (
    BURST_SECONDS,
    REPORT_SLOTS,
    FlowControl,
    Resource,
)

NODE = Node(None, b"")
ENTRY: Resource = (NODE, b"f")
EXISTENCE: Resource = (NODE, b"f", None)
START = 100.0


@pytest.fixture
def flow() -> FlowControl:
    return FlowControl(FlowSettings())


def report(flow: FlowControl, resource: Resource, times: int, now: float) -> list[bool]:
    return [flow.record_report(resource, 1, now) for _ in range(times)]


def busy(resource: Resource, hot: bool = False) -> FlowControl:
    flow = FlowControl(FlowSettings())
    while resource not in flow.busy:
        flow.record_report(resource, 1, START)
    if hot:
        while not flow.record_kernel_events(resource, START):
            pass
    return flow


@pytest.mark.parametrize(
    ("resource", "limit"),
    [
        pytest.param(ENTRY, 4, id="content of an entry"),
        pytest.param(NODE, 6, id="entries that come and go"),
        pytest.param(EXISTENCE, 6, id="a single path that comes and goes"),
    ],
)
def test_so_many_reports_within_a_second_are_told_and_no_more(
    flow: FlowControl, resource: Resource, limit: int
) -> None:
    told = report(flow, resource, limit, START)
    assert told == [False] * limit
    assert flow.record_report(resource, 1, START + 0.9)


def test_the_same_over_two_seconds_are_nothing(flow: FlowControl) -> None:
    for second in range(20):
        assert not any(report(flow, ENTRY, 3, START + second))
    assert flow.soonest is None


def test_others_do_not_count(flow: FlowControl) -> None:
    for number in range(100):
        assert not flow.record_report((NODE, b"%d" % number), 1, START)
    assert not flow.busy


def test_what_is_busy_is_reported_once_a_second() -> None:
    flow = busy(ENTRY)
    reports = 0
    for tenth in range(100):
        now = START + tenth / 10
        flow.record_report(ENTRY, 5 + tenth, now)
        reports += len(flow.due(5 + tenth, now).reports)
    assert 9 <= reports <= 11


def test_a_report_says_since_when() -> None:
    flow = busy(ENTRY)
    flow.record_report(ENTRY, 7, START + 0.1)
    due = flow.soonest
    assert due is not None
    assert flow.due(8, due).reports == [(ENTRY, 1)]
    flow.record_report(ENTRY, 9, due)
    assert flow.due(10, due + 1).reports == [(ENTRY, 8)]


def test_what_did_not_change_is_not_reported() -> None:
    flow = busy(ENTRY)
    assert flow.due(2, START + 1.5).reports == []


def test_it_is_calm_after_more_than_five_quiet_seconds() -> None:
    flow = busy(ENTRY)
    calmed: list[tuple[float, bool]] = []
    for tenth in range(80):
        now = START + tenth / 10
        calmed += [(now - START, hot) for _, hot in flow.due(2, now).calmed]
    ((after, was_hot),) = calmed
    assert 5 < after <= 6.1
    assert not was_hot
    assert flow.soonest is None


def test_what_is_dirty_is_reported_before_it_is_calm() -> None:
    flow = busy(ENTRY)
    flow.record_report(ENTRY, 3, START + 0.1)
    first = flow.due(4, START + 60)
    assert (first.reports, first.calmed) == ([(ENTRY, 1)], [])
    assert [resource for resource, _ in flow.due(5, START + 61).calmed] == [ENTRY]


def test_more_than_200_events_a_second_make_it_hot_once() -> None:
    flow = busy(ENTRY)
    assert [flow.record_kernel_events(ENTRY, START + 0.5) for _ in range(300)].index(
        True
    ) == 200
    assert sum(flow.record_kernel_events(ENTRY, START + 1.5) for _ in range(300)) == 0


def test_200_events_in_each_of_many_seconds_do_not() -> None:
    flow = busy(ENTRY)
    for second in range(10):
        assert not any(
            flow.record_kernel_events(ENTRY, START + second) for _ in range(200)
        )


def test_a_directory_is_not_hot_while_it_may_be_but_a_burst() -> None:
    flow = busy(NODE)
    soon = START + BURST_SECONDS
    assert not any(flow.record_kernel_events(NODE, soon - 0.01) for _ in range(1000))
    assert any(flow.record_kernel_events(NODE, soon) for _ in range(201))


def test_what_was_hot_is_calm_later_and_says_so() -> None:
    flow = busy(ENTRY, hot=True)
    assert flow.due(2, START + 7).calmed == [(ENTRY, True)]


def test_what_a_look_finds_is_not_withheld_for_a_second_more() -> None:
    flow = busy(ENTRY, hot=True)
    flow.due(2, START + 1)
    flow.record_report(ENTRY, 3, START + 1.9)
    assert flow.soonest == pytest.approx(START + 1.9, abs=0.11)


def test_much_that_is_busy_is_reported_with_few_wake_ups() -> None:
    flow = FlowControl(FlowSettings())
    for number in range(1000):
        report(flow, (NODE, b"%d" % number), 5, START + number / 1000)
    wakes = reported = 0
    while (due := flow.soonest) is not None and due < START + 2:
        wakes += 1
        reported += len(flow.due(9, due).reports)
    assert reported == 1000
    assert wakes <= 2 * REPORT_SLOTS


def test_a_directory_that_is_gone_is_not_busy_with_all_in_it() -> None:
    flow = busy(ENTRY)
    report(flow, NODE, 6, START)
    other = Node(None, b"other")
    report(flow, (other, b"f"), 4, START)
    flow.forget(NODE)
    assert list(flow.busy) == [(other, b"f")]
    flow.forget(other)
    assert flow.soonest is None


def test_the_numbers_can_be_set() -> None:
    flow = FlowControl(FlowSettings(reports_per_second=2, report_interval=0.5))
    assert report(flow, ENTRY, 3, START) == [False, False, True]
    assert flow.soonest == pytest.approx(START + 0.5, abs=0.05)
