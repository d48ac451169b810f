"""The frame of `gamin top`: figures in a terminal of any size."""

import pytest

pytest.importorskip("rich")

import msgspec

from gamin.cli.status import (
    BusyPath,
    Client,
    Facility,
    Recoveries,
    Report,
    StalledMount,
    Watches,
    read,
)
from gamin.cli.top_model import Figures, Keys, Sample
from gamin.cli.top_view import frame

NOTHING = Watches(0, 0, 0, 0, 0, 0)
REPORT = read(
    {
        "version": "1.2",
        "pid": 7,
        "uptime": 61.0,
        "session": "",
        "addresses": [],
        "clock": 1,
        "clients": [],
        "watches": msgspec.to_builtins(NOTHING),
        "limits": {"max_user_watches": 1, "max_user_instances": 1},
        "facilities": {},
        "recoveries": {"overflows": 0, "rescans": 0},
    }
)


def shown(
    keys: Keys | None = None,
    width: int = 80,
    height: int = 24,
    paths: tuple[str, ...] = (),
    **changed: object,
) -> list[str]:
    """The lines of a frame; `changed` are fields of the report."""
    report: Report = msgspec.structs.replace(REPORT, **changed)
    figures = Figures()
    figures.add(Sample(1.0, report, 0.0, 8_000_000))
    figures.count(paths)
    figures.add(Sample(2.0, report, 0.1, 8_000_000))
    return frame(figures, keys or Keys(), width, height).plain.split("\n")


def clients(number: int) -> list[Client]:
    return [Client(pid, f"program-{pid}", "gam", 1, 0) for pid in range(number)]


def test_without_a_sample_it_waits_for_a_server() -> None:
    lines = frame(Figures(), Keys(), 80, 5).plain.split("\n")
    assert lines[0] == "waiting for a server …"
    assert len(lines) == 5


def test_the_head_says_which_server_it_is_and_what_it_uses() -> None:
    assert shown()[0] == (
        "gamin 1.2  process 7  session (default)  up 1 min 1 s  CPU 10.0 %  8 MB"
    )


def test_the_figures_of_the_report_are_shown() -> None:
    text = "\n".join(
        shown(
            watches=Watches(1000, 2, 3, 4, 5, 6),
            facilities={"inotify": Facility(9, 10)},
            recoveries=Recoveries(1, 2),
        )
    )
    assert "1,000 kernel  2 polled  3 busy  4 missing  6 unreadable\n" in text
    assert "9 of 10" in text
    assert "1 overflows, 2 rescans" in text


def test_what_does_not_occur_is_not_shown() -> None:
    lines = shown(watches=Watches(7, 0, 0, 0, 0, 0), recoveries=Recoveries(0, 0))
    assert "watches    7 kernel" in lines
    assert "losses     none" in lines


def test_it_shows_why_directories_are_polled() -> None:
    shown_wide = shown(
        width=120,
        watches=Watches(1, 3, 0, 0, 2, 0),
        polled_for={"no_room": 2, "many_entries": 1, "many_writes": 0, "new\x1b": 1},
    )
    why = "2 without room, 1 many entries come and go, 1 new\\x1b"
    assert f"watches    1 kernel  3 polled ({why})" in shown_wide


def test_busy_paths_are_shown_where_no_path_was_given() -> None:
    busy = [BusyPath("/log\n", polled=True), BusyPath("/other", polled=False)]
    lines = shown(busy_paths=busy)
    head = next(n for n, line in enumerate(lines) if "BUSY PATH" in line)
    assert lines[head + 1].split() == ["polled", "/log\\n"]
    assert lines[head + 2].split() == ["/other"]
    assert not [
        line for line in shown(paths=("/a",), busy_paths=busy) if "BUSY" in line
    ]


def test_a_mount_that_does_not_answer_is_shown() -> None:
    mount = StalledMount("/mnt/nfs", "nfs", 61, "it hangs")
    assert "no answer  /mnt/nfs for 1 min 1 s: it hangs" in shown(stalled=[mount])


def test_a_filter_that_nothing_matches_says_so() -> None:
    assert "no client's program" in "\n".join(shown(keys=Keys(pattern="nothing")))


def test_changes_have_a_line_only_where_some_were_counted() -> None:
    assert not [line for line in shown() if line.startswith("changes")]
    lines = shown(paths=("/a", "/b", "/a"))
    assert [line for line in lines if line.startswith("changes")]
    busiest = lines[next(n for n, line in enumerate(lines) if "BUSIEST" in line) + 1]
    assert busiest.split() == ["2", "/a"]


def test_clients_without_room_are_counted() -> None:
    lines = shown(clients=clients(50))
    assert "others" in "\n".join(lines)
    rows = [line for line in lines if "program-" in line]
    (others,) = [line for line in lines if "others" in line]
    assert len(rows) + int(others.split()[2]) == 50


def test_the_filter_and_the_pause_are_shown_where_they_are_chosen() -> None:
    assert shown(Keys(pattern="vi", is_typing=True))[-1].startswith("filter: vi")
    assert "(paused)" in shown(Keys(is_paused=True))[-1]
    rows = shown(Keys(pattern="-1"), clients=clients(3))
    assert [row.split()[-1] for row in rows if "program-" in row] == ["program-1"]


@pytest.mark.parametrize("width", [1, 12, 80, 200])
@pytest.mark.parametrize("height", [1, 2, 10, 24])
def test_a_frame_has_the_size_of_the_terminal(width: int, height: int) -> None:
    lines = shown(width=width, height=height, clients=clients(30), paths=("/a",) * 9)
    assert len(lines) == max(1, height)
    assert max(map(len, lines)) <= width


def test_the_end_of_a_long_path_is_kept() -> None:
    (line,) = [each for each in shown(paths=("/x" * 99 + "/end",)) if "/end" in each]
    assert "…" in line


def test_names_cannot_act_on_the_terminal() -> None:
    text = "".join(
        shown(
            clients=[Client(1, "\x1b[2J", "\x07", 1, 1)],
            session="\x1b[1m",
            paths=("/a\x1b[0m",),
            facilities={"\x1b": Facility(1, 2)},
        )
    )
    assert not set("\x1b\x07") & set(text)
