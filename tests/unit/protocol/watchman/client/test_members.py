"""Members of messages, as a server should send them and as it should not."""

import pytest

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.client import members


def test_unreadable_directories_are_names_between_double_slashes() -> None:
    assert members.unreadable("a//b/c") == {"a", "b/c"}
    assert members.unreadable("") == {""}
    assert members.unreadable(None) == frozenset()


@pytest.mark.parametrize("wrong", [7, ["a"], {}])
def test_names_and_rows_are_text(wrong: object) -> None:
    with pytest.raises(RemoteProtocolError):
        members.unreadable(wrong)
    with pytest.raises(RemoteProtocolError):
        members.rows({"rows": wrong})


def test_a_message_may_have_no_rows_and_no_time() -> None:
    assert members.rows({}) == ""
    assert members.rows({"rows": "ca"}) == "ca"
    assert members.complete_until_ns({}, 5) == 5
    assert members.complete_until_ns({"complete_until_ns": None}, 5) == 5
    assert members.complete_until_ns({"complete_until_ns": 7}, 5) == 7


@pytest.mark.parametrize(
    ("before", "now", "is_other"),
    [
        (None, "c:1:2:3:4", False),
        ("c:1:2:3:4", "c:1:2:3:9", False),
        ("c:1:2:3:4", "c:1:2:5:4", True),
        ("c:1:2:3:4", "c:7:2:3:4", True),
        ("c:1:2:3:4", 7, False),
    ],
)
def test_clocks_of_one_root_differ_in_their_tick_alone(
    before: str | None, now: object, is_other: bool
) -> None:
    assert members.is_of_another_root(before, now) is is_other
