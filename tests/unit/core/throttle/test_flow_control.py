"""The numbers of flow control: 4 reports, 6 churns, once a second, 5 s, 200 events."""

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.core.model.node import Node
from gamin.core.throttle.flow_control import (
    BURST_SECONDS,
    REPORT_SLOTS,
    FlowControl,
    Resource,
    Verdict,
)

NODE = Node(None, b"")
ENTRY: Resource = (NODE, b"f")
EXISTENCE: Resource = (NODE, b"f", None)
START = 100.0


@pytest.fixture
def flow() -> FlowControl:
    return FlowControl(FlowSettings())


def report(flow: FlowControl, resource: Resource, times: int, now: float) -> list[bool]:
    """Whether each of so many reports was deferred."""
    verdicts = [flow.record_report(resource, 1, now) for _ in range(times)]
    return [verdict is Verdict.DEFER for verdict in verdicts]


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
def test_reports_within_a_second_are_deferred_from_the_limit_on(
    flow: FlowControl, resource: Resource, limit: int
) -> None:
    assert report(flow, resource, limit, START) == [False] * limit
    assert report(flow, resource, 1, START + 0.9) == [True]


def test_churn_makes_a_directory_busy_at_the_limit(flow: FlowControl) -> None:
    assert [flow.record_churn(NODE, 1, START) for _ in range(6)] == [False] * 5 + [True]
    assert flow.record_report(NODE, 1, START) is Verdict.DEFER


def test_reports_below_the_limit_in_each_second_make_nothing_busy(
    flow: FlowControl,
) -> None:
    for second in range(20):
        assert not any(report(flow, ENTRY, 3, START + second))
    assert flow.soonest is None


def test_reports_of_different_resources_are_counted_apart(flow: FlowControl) -> None:
    for number in range(100):
        assert report(flow, (NODE, b"%d" % number), 1, START) == [False]
    assert not flow.busy


def test_a_busy_resource_is_reported_once_a_second() -> None:
    flow = busy(ENTRY)
    reports = 0
    for tenth in range(100):
        now = START + tenth / 10
        flow.record_report(ENTRY, 5 + tenth, now)
        reports += len(flow.due(5 + tenth, now).reports)
    assert 9 <= reports <= 11


def test_a_report_says_up_to_which_tick_the_resource_was_reported() -> None:
    flow = busy(ENTRY)
    flow.record_report(ENTRY, 7, START + 0.1)
    due = flow.soonest
    assert due is not None
    assert flow.due(8, due).reports == [(ENTRY, 1)]
    flow.record_report(ENTRY, 9, due)
    assert flow.due(10, due + 1).reports == [(ENTRY, 8)]


def test_a_busy_resource_that_did_not_change_is_not_reported() -> None:
    flow = busy(ENTRY)
    assert flow.due(2, START + 1.5).reports == []


def test_a_busy_resource_is_calm_after_more_than_five_quiet_seconds() -> None:
    flow = busy(ENTRY)
    calmed: list[tuple[float, bool]] = []
    for tenth in range(80):
        now = START + tenth / 10
        calmed += [(now - START, hot) for _, hot in flow.due(2, now).calmed]
    ((after, was_hot),) = calmed
    assert 5 < after <= 6.1
    assert not was_hot
    assert flow.soonest is None


def test_a_changed_resource_is_reported_before_it_counts_as_calm() -> None:
    flow = busy(ENTRY)
    flow.record_report(ENTRY, 3, START + 0.1)
    first = flow.due(4, START + 60)
    assert (first.reports, first.calmed) == ([(ENTRY, 1)], [])
    assert [resource for resource, _ in flow.due(5, START + 61).calmed] == [ENTRY]


def test_more_than_200_events_a_second_make_a_busy_resource_hot_once() -> None:
    flow = busy(ENTRY)
    assert [flow.record_kernel_events(ENTRY, START + 0.5) for _ in range(300)].index(
        True
    ) == 200
    assert sum(flow.record_kernel_events(ENTRY, START + 1.5) for _ in range(300)) == 0


def test_200_events_in_each_of_many_seconds_make_nothing_hot() -> None:
    flow = busy(ENTRY)
    for second in range(10):
        assert not any(
            flow.record_kernel_events(ENTRY, START + second) for _ in range(200)
        )


def test_a_directory_is_not_hot_during_the_first_second_of_being_busy() -> None:
    flow = busy(NODE)
    soon = START + BURST_SECONDS
    assert not any(flow.record_kernel_events(NODE, soon - 0.01) for _ in range(1000))
    assert any(flow.record_kernel_events(NODE, soon) for _ in range(201))


def test_a_hot_resource_that_calms_down_is_returned_as_hot() -> None:
    flow = busy(ENTRY, hot=True)
    assert flow.due(2, START + 7).calmed == [(ENTRY, True)]


def test_a_change_that_polling_found_is_not_deferred_for_another_second() -> None:
    flow = busy(ENTRY, hot=True)
    flow.due(2, START + 1)
    flow.record_report(ENTRY, 3, START + 1.9)
    assert flow.soonest == pytest.approx(START + 1.9, abs=0.11)


def test_a_thousand_busy_resources_are_reported_with_few_wake_ups() -> None:
    flow = FlowControl(FlowSettings())
    for number in range(1000):
        report(flow, (NODE, b"%d" % number), 5, START + number / 1000)
    wakes = reported = 0
    while (due := flow.soonest) is not None and due < START + 2:
        wakes += 1
        reported += len(flow.due(9, due).reports)
    assert reported == 1000
    assert wakes <= 2 * REPORT_SLOTS


def test_forgetting_a_directory_forgets_its_busy_entries() -> None:
    flow = busy(ENTRY)
    report(flow, NODE, 6, START)
    other = Node(None, b"other")
    report(flow, (other, b"f"), 4, START)
    flow.forget(NODE)
    assert list(flow.busy) == [(other, b"f")]
    flow.forget(other)
    assert flow.soonest is None


def test_other_limits_apply_at_once(flow: FlowControl) -> None:
    flow.use(FlowSettings(reports_per_second=2))
    assert report(flow, ENTRY, 3, START) == [False, False, True]


def test_the_limits_come_from_the_settings() -> None:
    flow = FlowControl(FlowSettings(reports_per_second=2, report_interval=0.5))
    assert report(flow, ENTRY, 3, START) == [False, False, True]
    assert flow.soonest == pytest.approx(START + 0.5, abs=0.05)
