"""`gamin status`: the report, checked and shown; and the whole way to a real server."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gamin.cli.control import NoReply
from gamin.cli.status import as_text, duration, read
from gamin.client.connect import connect_v1
from testkit.programs import gamin, outcome
from testkit.servers import OUR_SERVER, running_server


@pytest.fixture
def told() -> dict[str, Any]:
    """What a server may say; the names are chosen by whoever means harm."""
    return {
        "version": "9.9",
        "pid": 77,
        "uptime": 3700.5,
        "session": "",
        "addresses": ["@/tmp/fam-me-", "/run/user/7/gamin/modern-.sock"],
        "clock": 12,
        "clients": [
            {
                "pid": 5,
                "program": "\x1b[2J\n",
                "language": "gam",
                "subscriptions": 3,
                "backlog": 4,
            }
        ],
        "watches": {
            "kernel": 10,
            "polled": 2,
            "busy": 1,
            "missing": 4,
            "no_room": 5,
            "unreadable": 6,
        },
        "limits": {
            "max_user_watches": 100,
            "max_user_instances": 128,
        },
        "facilities": {
            "inotify": {"used_by_us": 10, "most_used_by_us": 90},
            "\x1b[2J": {"used_by_us": 3, "most_used_by_us": 45},
        },
        "recoveries": {"overflows": 7, "rescans": 8},
    }


def test_all_of_the_report_is_shown(told: dict[str, Any]) -> None:
    assert list(as_text(read(told))) == [
        "gamin 9.9, process 77",
        "session     (default)",
        "up          1 h 1 min",
        "address     @/tmp/fam-me-",
        "address     /run/user/7/gamin/modern-.sock",
        "clock       12",
        "watches     10 kernel, 2 polled, 1 busy, 4 missing, "
        "5 without room, 6 unreadable",
        "inotify     10 of 90 watches used",
        r"\x1b[2J     3 of 45 watches used",
        "limits      this user may have 100 inotify watches and 128 instances",
        "recoveries  7 overflows, 8 rescans",
        "clients     1",
        "       PID  LANGUAGE  SUBSCRIPTIONS  BACKLOG  PROGRAM",
        r"         5  gam                   3        4  \x1b[2J\n",
    ]


def test_unknown_members_of_a_report_are_ignored(told: dict[str, Any]) -> None:
    assert read({**told, "mood": "good"}) == read(told)


@pytest.mark.parametrize("other", [None, [], {"pid": 77}, "fine"])
def test_anything_but_a_report_is_rejected(other: object) -> None:
    with pytest.raises(NoReply, match="not a report"):
        read(other)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.9, "0 s"),
        (59, "59 s"),
        (61, "1 min 1 s"),
        (3600, "1 h 0 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_a_duration_has_two_units(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_a_real_server_reports_itself_and_its_clients(tmp_path: Path) -> None:
    with (
        running_server([str(OUR_SERVER)], home=str(tmp_path)) as server,
        connect_v1(start=False, session=server.session),
    ):
        text = gamin("status", session=server.session).stdout.splitlines()
        done = gamin("status", "--json", session=server.session)
    report = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert (report["pid"], report["session"]) == (server.pid, server.session)
    assert [c["language"] for c in report["clients"]] == ["gam", "watchman"]
    assert text[0].endswith(f"process {server.pid}")
    assert text[1] == f"session     {server.session}"
    assert re.search(r"\d+  watchman +0 +0  ", text[-1])


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_without_a_server_it_says_so_and_fails(
    options: list[str], session: str
) -> None:
    done = gamin("status", *options, session=session)
    status, [line] = outcome(done)
    assert (status, done.stdout) == (1, "")
    assert line.startswith(f"gamin: no server is running for session '{session}'")


def test_an_invalid_session_name_is_an_error() -> None:
    status, [line] = outcome(gamin("status", session="a/b"))
    assert status == 1
    assert line.startswith("gamin: GAM_CLIENT_ID='a/b'")
