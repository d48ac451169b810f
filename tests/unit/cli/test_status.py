"""`gamin status`: the report, checked and shown; and the whole way to a real server."""

import json
import os
import re
import socket
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from gamin.cli.control import NoReply
from gamin.cli.status import as_text, duration, read
from gamin.client.connect import connect_gam
from gamin.system.address import find
from testkit.original import require_original, start_original_server
from testkit.processes import NOBODY, beside, require_root, wait_for_end
from testkit.programs import gamin, outcome
from testkit.servers import OUR_SERVER, running_server


@pytest.fixture
def reply() -> dict[str, Any]:
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
                "requests": 6,
                "bytes_in": 900,
                "bytes_out": 3 << 20,
                "terms": 7,
            }
        ],
        "held_bytes": 3 << 20,
        "watches": {
            "kernel": 1000,
            "polled": 2,
            "busy": 1,
            "missing": 4,
            "no_room": 5,
            "unreadable": 6,
        },
        "limits": {
            "max_user_watches": 10_000,
            "max_user_instances": 128,
        },
        "facilities": {
            "inotify": {"used_by_us": 1000, "most_used_by_us": 9000},
            "\x1b[2J": {"used_by_us": 3, "most_used_by_us": 45},
        },
        "recoveries": {"overflows": 7, "rescans": 8},
        "roots": 3,
    }


def test_all_of_the_report_is_shown(reply: dict[str, Any]) -> None:
    assert list(as_text(read(reply))) == [
        "gamin 9.9, process 77, up 1 h 1 min",
        "session     (default)",
        "addresses   @/tmp/fam-me-",
        "            /run/user/7/gamin/modern-.sock",
        "clock       12",
        "trees       3",
        "watches     1,000 by the kernel, 2 polled, "
        "1 busy paths reported once a second, 4 paths that do not exist yet, "
        "5 polled because no watch is left (see gamin doctor), 6 unreadable",
        "inotify     1,000 of 9,000 watches used",
        r"\x1b[2J     3 of 45 watches used",
        "limits      this user may have 10,000 inotify watches and 128 instances",
        "losses      7 overflows, 8 rescans",
        "clients     1, 3.0 MiB wait",
        "       PID  LANGUAGE  SUBSCRIPTIONS  TERMS  BACKLOG  REQUESTS        IN"
        "       OUT  PROGRAM",
        "         5  gam                   3      7        4         6     900 B"
        r"   3.0 MiB  \x1b[2J\n",
    ]


def test_sections_without_content_are_not_shown(reply: dict[str, Any]) -> None:
    reply["watches"] = {**dict.fromkeys(reply["watches"], 0), "kernel": 1}
    reply["recoveries"] = {"overflows": 0, "rescans": 0}
    text = list(as_text(read(reply)))
    assert "watches     1 by the kernel" in text
    assert "losses      none" in text


def test_unknown_members_of_a_report_are_ignored(reply: dict[str, Any]) -> None:
    assert read({**reply, "mood": "good"}) == read(reply)


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
        connect_gam(start=False, session=server.session),
    ):
        text = gamin("status", session=server.session).stdout.splitlines()
        done = gamin("status", "--json", session=server.session)
    report = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert (report["pid"], report["session"]) == (server.pid, server.session)
    assert [c["language"] for c in report["clients"]] == ["gam", "watchman"]
    assert f"process {server.pid}, up " in text[0]
    assert text[1] == f"session     {server.session}"
    assert re.search(r"\d+  watchman +0 +0  ", text[-1])


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_status_without_a_server_says_so_and_fails(
    options: list[str], session: str
) -> None:
    done = gamin("status", *options, session=session)
    status, [line] = outcome(done)
    assert (status, done.stdout) == (1, "")
    assert line.startswith(f"gamin: no server is running for session '{session}'")


def test_the_original_server_is_named_instead(session: str) -> None:
    require_original()
    with start_original_server(session) as original:
        status, [line] = outcome(gamin("status", session=session))
    assert status == 1
    assert f"process {original.pid}, the original gam_server, serves it" in line


def test_a_stranger_with_the_name_of_the_session_is_named(session: str) -> None:
    require_root()
    name = find({"GAM_CLIENT_ID": session}, os.getuid()).abstract
    with beside(_squat, name, uid=NOBODY) as stranger:
        stranger.recv()
        status, [line] = outcome(gamin("status", session=session))
    assert status == 1
    assert f"of uid {NOBODY}" in line


def _squat(pipe: Connection, name: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(name)
        taken.listen()
        pipe.send("ready")
        wait_for_end(pipe)


def test_an_invalid_session_name_is_an_error() -> None:
    status, [line] = outcome(gamin("status", session="a/b"))
    assert status == 1
    assert line.startswith("gamin: GAM_CLIENT_ID='a/b'")
