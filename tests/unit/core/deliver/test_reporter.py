from gamin.core.deliver.reporter import Reporter
from gamin.core.effects import Deliver, Effect
from gamin.core.model.audiences import Audiences
from gamin.core.model.subscription import Scope, Subscription
from gamin.events import Kind, Row

AUDIENCES = Audiences()
ONE = Subscription(1, 1, b"/a", Scope.DIRECTORY)
TWO = Subscription(2, 1, b"/b", Scope.DIRECTORY)
FIRST = AUDIENCES.of((ONE,), ())
BOTH = AUDIENCES.of((ONE, TWO), ())


def row(name: bytes) -> Row:
    return Row(Kind.CREATED, name, False)


def test_rows_for_one_audience_make_one_delivery() -> None:
    effects: list[Effect] = []
    reporter = Reporter(effects)
    reporter.report(BOTH, row(b"a"))
    reporter.report(BOTH, row(b"b"))
    assert effects == []
    reporter.close()
    assert effects == [Deliver((ONE, TWO), [row(b"a"), row(b"b")], False)]


def test_another_audience_ends_the_run_so_the_order_stays() -> None:
    effects: list[Effect] = []
    reporter = Reporter(effects)
    for audience, name in ((FIRST, b"a"), (BOTH, b"b"), (FIRST, b"c")):
        reporter.report(audience, row(name))
    reporter.close()
    assert effects == [
        Deliver((ONE,), [row(b"a")], False),
        Deliver((ONE, TWO), [row(b"b")], False),
        Deliver((ONE,), [row(b"c")], False),
    ]


def test_rows_for_nobody_make_no_delivery() -> None:
    effects: list[Effect] = []
    reporter = Reporter(effects)
    reporter.report(AUDIENCES.nobody, row(b"a"))
    reporter.close()
    reporter.close()
    assert effects == []


def test_recovered_rows_are_delivered_apart_and_marked() -> None:
    effects: list[Effect] = []
    reporter = Reporter(effects)
    reporter.report(FIRST, row(b"a"))
    reporter.report(FIRST, row(b"b"), recovered=True)
    reporter.rows_of(FIRST).append(row(b"c"))
    reporter.close()
    assert effects == [
        Deliver((ONE,), [row(b"a")], False),
        Deliver((ONE,), [row(b"b")], True),
        Deliver((ONE,), [row(b"c")], False),
    ]


def test_unfiltered_rows_are_delivered_apart_and_exempt_from_ignore_rules() -> None:
    effects: list[Effect] = []
    reporter = Reporter(effects)
    reporter.report(FIRST, row(b"a"))
    reporter.report(FIRST, row(b"b"), filtered=False)
    reporter.rows_of(FIRST).append(row(b"c"))
    reporter.close()
    assert effects == [
        Deliver((ONE,), [row(b"a")], False),
        Deliver((ONE,), [row(b"b")], False, True),
        Deliver((ONE,), [row(b"c")], False),
    ]
