from gamin.core.model.subscription import Scope, Subscription
from gamin.core.throttle.listing_hold import (
    HOLD_SECONDS,
    MAX_HELD_BYTES,
    MAX_HOLD_SECONDS,
    RETRY_SECONDS,
    ListingHold,
)
from gamin.protocol.gam.packets import EventCode
from testkit.scenario.in_memory import CoreDriver

ONE = Subscription(1, 1, b"/one", Scope.DIRECTORY)
OTHER = Subscription(1, 2, b"/other", Scope.DIRECTORY)


def listed(now: float) -> ListingHold:
    hold = ListingHold()
    hold.listed(now)
    return hold


def change(
    hold: ListingHold,
    data: bytes,
    now: float,
    *,
    of: Subscription = ONE,
    has_read: bool = True,
) -> bytes:
    return hold.pass_on(of, data, now, has_read=has_read)


def test_changes_of_a_client_without_a_listing_are_not_held() -> None:
    hold = ListingHold()
    assert not hold.is_open
    assert change(hold, b"a", 10.0) == b"a"
    assert hold.deadline() is None


def test_a_change_a_quarter_of_a_second_after_the_listing_is_not_held() -> None:
    hold = listed(10.0)
    assert hold.is_open
    assert change(hold, b"a", 10.25) == b"a"
    assert not hold.is_open


def test_changes_right_after_a_listing_come_together_and_in_order() -> None:
    hold = listed(10.0)
    assert change(hold, b"a", 10.1) == b""
    assert change(hold, b"b", 10.2, of=OTHER) == b""
    assert hold.deadline() == 10.0 + HOLD_SECONDS
    assert hold.release(10.24, has_read=True) == b""
    assert hold.release(10.25, has_read=True) == b"ab"
    assert hold.deadline() is None
    assert hold.size == 0
    assert not hold.is_open


def test_a_change_does_not_overtake_one_that_is_still_held() -> None:
    hold = listed(10.0)
    change(hold, b"a", 10.1)
    assert change(hold, b"b", 10.3) == b""
    assert hold.release(10.3, has_read=True) == b"ab"


def test_further_listings_hold_no_change_longer_than_a_quarter_of_a_second() -> None:
    hold = listed(10.0)
    change(hold, b"a", 10.2)
    hold.listed(10.24)
    assert hold.release(10.2 + HOLD_SECONDS, has_read=True) == b"a"
    assert change(hold, b"b", 10.46) == b""
    assert hold.release(10.24 + HOLD_SECONDS, has_read=True) == b"b"


def test_the_moment_does_not_end_while_the_client_has_not_read_the_listing() -> None:
    hold = listed(10.0)
    assert change(hold, b"a", 15.0, has_read=False) == b""
    assert hold.deadline() == 15.0 + RETRY_SECONDS
    assert hold.release(15.1, has_read=True) == b"a"
    assert change(hold, b"b", 15.2) == b"b"


def test_a_change_is_held_until_the_client_has_read() -> None:
    hold = listed(10.0)
    change(hold, b"a", 10.0, has_read=False)
    assert hold.release(10.25, has_read=False) == b""
    assert hold.deadline() == 10.25 + RETRY_SECONDS
    assert hold.release(10.3, has_read=True) == b""
    assert hold.release(10.35, has_read=True) == b"a"


def test_after_a_second_also_a_client_that_does_not_read_is_sent_its_changes() -> None:
    hold = listed(10.0)
    change(hold, b"a", 10.0, has_read=False)
    sent, checks = b"", 0
    while not sent:
        due = hold.deadline()
        assert due is not None
        assert due <= 10.0 + MAX_HOLD_SECONDS
        sent, checks = hold.release(due, has_read=False), checks + 1
    assert sent == b"a"
    assert checks < 15
    assert change(hold, b"b", 11.0, has_read=False) == b""  # it still has not read


def test_nothing_that_is_held_of_a_subscription_that_ended_is_sent() -> None:
    hold = listed(10.0)
    change(hold, b"a", 10.0)
    change(hold, b"b", 10.0, of=OTHER)
    hold.forget(ONE)
    assert hold.release(10.25, has_read=True) == b"b"


def test_much_more_than_a_program_causes_by_asking_is_sent_at_once() -> None:
    hold = listed(10.0)
    change(hold, b"." * MAX_HELD_BYTES, 10.0)
    assert hold.release(10.1, has_read=False) == b""
    change(hold, b".", 10.1)
    assert len(hold.release(10.1, has_read=False)) == MAX_HELD_BYTES + 1


def test_a_client_has_all_listings_before_a_change_that_it_caused_meanwhile() -> None:
    driver = CoreDriver()
    disk = driver.shell.disk
    disk.makedirs(b"/scenario/new")
    disk.makedirs(b"/scenario/cur")
    disk.touch(b"/scenario/new/mail")
    client = driver.client("courier-imap")
    new = client.watch_directory(b"/scenario/new")
    disk.rename(b"/scenario/new/mail", b"/scenario/cur/mail")
    driver.shell.sleep(HOLD_SECONDS / 2)
    cur = client.watch_directory(b"/scenario/cur")
    received = client.barrier()
    order = [(number, code) for number, code, _ in received]
    listing_ends = order.index((cur, EventCode.END_EXIST))
    assert listing_ends < order.index((new, EventCode.DELETED))
