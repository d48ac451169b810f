import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.config.client_limits import RANGES
from gamin.config.flow_settings import LIMITS
from gamin.config.gaminrc import (
    MAX_RULES,
    FilesystemRule,
    FlowRule,
    LimitRule,
    Method,
    Mistake,
    Origin,
    PathRule,
    Rule,
    StateRule,
    parse,
)
from gamin.config.state_settings import STATE_RANGES
from gamin.paths import printable

HERE = Origin("gaminrc", 1)


def only(line: bytes) -> Rule | Mistake:
    (item,) = parse(line, b"/home/me")
    return item


def what(line: bytes) -> str:
    mistake = only(line)
    assert isinstance(mistake, Mistake)
    return mistake.what


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"poll /a/*", PathRule(b"/a/*", Method.POLL, HERE)),
        (b"notify /a", PathRule(b"/a", Method.KERNEL, HERE)),
        (b"\tpoll \t  /a  ", PathRule(b"/a", Method.POLL, HERE)),
        (b"poll /a\r", PathRule(b"/a", Method.POLL, HERE)),
        (b"poll ~", PathRule(b"/home/me", Method.POLL, HERE)),
        (b"poll ~/x", PathRule(b"/home/me/x", Method.POLL, HERE)),
        (b"poll /~/x", PathRule(b"/~/x", Method.POLL, HERE)),
        (b"poll /a#b", PathRule(b"/a#b", Method.POLL, HERE)),
        (b"poll /a # not /b", PathRule(b"/a", Method.POLL, HERE)),
        (b"poll /\xff", PathRule(b"/\xff", Method.POLL, HERE)),
        (b"fsset nfs poll 10", FilesystemRule("nfs", Method.POLL, 10, HERE)),
        (b"fsset nfs poll 0.5", FilesystemRule("nfs", Method.POLL, 0.5, HERE)),
        (b"fsset nfs poll 0", FilesystemRule("nfs", Method.POLL, 0, HERE)),
        (b"fsset nfs poll # 10", FilesystemRule("nfs", Method.POLL, None, HERE)),
        (b"fsset ext4 kernel", FilesystemRule("ext4", Method.KERNEL, None, HERE)),
        (b"fsset proc none", FilesystemRule("proc", Method.NONE, None, HERE)),
        (b"flow calm_seconds 2.5", FlowRule("calm_seconds", 2.5, HERE)),
        (b"flow reports_per_second 9", FlowRule("reports_per_second", 9, HERE)),
        (b"limit subscriptions 9", LimitRule("subscriptions", 9, HERE)),
        (b"state save_interval 2.5", StateRule("save_interval", 2.5, HERE)),
    ],
)
def test_each_kind_of_line_gives_its_rule(line: bytes, rule: Rule) -> None:
    assert only(line) == rule


def test_a_line_may_name_several_paths() -> None:
    rules = list(parse(b"poll /a /b", b"/"))
    assert rules == [
        PathRule(b"/a", Method.POLL, HERE),
        PathRule(b"/b", Method.POLL, HERE),
    ]


@pytest.mark.parametrize("text", [b"", b"\n\n", b"# poll /a", b"  #x", b" \t\r\n"])
def test_comments_and_blank_lines_have_no_effect(text: bytes) -> None:
    assert list(parse(text, b"/")) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"pol /a", "not understood: pol"),
        (b"POLL /a", "not understood: POLL"),
        (b"poll", "poll needs at least one path"),
        (b"notify # /a", "notify needs at least one path"),
        (b"poll a", "a path begins with / or ~/, not a"),
        (b"poll ~you/a", "a path begins with / or ~/, not ~you/a"),
        (b"fsset ext4", "fsset needs: TYPE kernel|poll|none [SECONDS]"),
        (b"fsset nfs poll 1 2", "fsset needs: TYPE kernel|poll|none [SECONDS]"),
        (b"fsset nfs pol", "kernel, poll or none, not pol"),
        (b"fsset nfs poll -1", "0 or 0.1 to 86400 seconds, not -1"),
        (b"fsset nfs poll 0.01", "0 or 0.1 to 86400 seconds, not 0.01"),
        (b"fsset nfs poll 1e3", "0 or 0.1 to 86400 seconds, not 1e3"),
        (b"fsset nfs poll nan", "0 or 0.1 to 86400 seconds, not nan"),
        (b"flow calm_seconds", "flow needs: NAME VALUE"),
        (b"flow calm_seconds 0", "calm_seconds is a number from 0.1 to 86400, not 0"),
        (
            b"flow reports_per_second 1.5",
            "reports_per_second is a whole number from 1 to 1000000, not 1.5",
        ),
        (b"limit triggers", "limit needs: NAME VALUE"),
        (
            b"limit connections 1",
            "connections is a whole number from 16 to 65536, not 1",
        ),
        (b"state", "state needs: NAME VALUE"),
        (b"state x 1", f"state knows {', '.join(STATE_RANGES)}, not x"),
        (
            b"state kept_days 0",
            "kept_days is a whole number from 1 to 36500, not 0",
        ),
        (b"limit x 1", f"limit knows {', '.join(RANGES)}, not x"),
        (
            b"flow x 1",
            f"flow knows {', '.join(LIMITS)}, not x",
        ),
    ],
)
def test_a_mistake_says_what_was_expected(line: bytes, why: str) -> None:
    assert what(line) == why


def test_a_mistake_has_its_line_and_stops_nothing() -> None:
    text = b"poll /a\nnonsense\npoll b /c\n"
    assert list(parse(text, b"/", "/etc/gamin/gaminrc")) == [
        PathRule(b"/a", Method.POLL, Origin("/etc/gamin/gaminrc", 1)),
        Mistake("not understood: nonsense", Origin("/etc/gamin/gaminrc", 2)),
        Mistake("a path begins with / or ~/, not b", Origin("/etc/gamin/gaminrc", 3)),
        PathRule(b"/c", Method.POLL, Origin("/etc/gamin/gaminrc", 3)),
    ]


def test_a_mistake_is_printed_with_its_place() -> None:
    (mistake,) = parse(b"\nx", b"/", "/etc/gamin/gaminrc")
    assert str(mistake) == "/etc/gamin/gaminrc:2: not understood: x"


def test_a_mistake_cannot_drive_a_terminal_or_fill_it() -> None:
    assert what(b"\x1b[2J\xff") == r"not understood: \x1b[2J\udcff"
    assert len(what(b"x" * 100_000)) < 100


@given(st.binary())
def test_any_bytes_give_rules_or_mistakes(text: bytes) -> None:
    for item in parse(text, b"/home/me"):
        assert printable(str(item)) == str(item)


@given(
    st.lists(
        st.sampled_from(
            [
                b"poll /a/* ~/b",
                b"notify /c",
                b"fsset nfs4 poll 0.25",
                b"fsset tmpfs none",
                b"fsset 9p poll 86400",
                b"flow reports_per_second 1000000",
                b"flow calm_seconds 12345.125",
                b"limit held_bytes 999999999",
            ]
        )
    )
)
def test_a_printed_rule_is_read_back_as_itself(lines: list[bytes]) -> None:
    rules = list(parse(b"\n".join(lines), b"/home/me"))
    printed = "\n".join(map(str, rules)).encode()
    again = list(parse(printed, b"/elsewhere"))
    assert list(map(str, again)) == list(map(str, rules))
    assert not any(isinstance(item, Mistake) for item in again)


def test_a_file_with_too_many_rules_is_followed_up_to_the_limit() -> None:
    *rules, mistake = parse(b"poll /a\n" * (MAX_RULES + 2), b"/", "gaminrc")
    assert len(rules) == MAX_RULES
    assert mistake == Mistake("more than 1000 rules", Origin("gaminrc", MAX_RULES + 1))
