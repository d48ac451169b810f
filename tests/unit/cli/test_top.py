"""`gamin top`: figures, keys and frames; and the program in a real terminal."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.cli import top, top_model
from gamin.cli.main import main
from gamin.cli.status import (
    BusyPath,
    Client,
    Facility,
    Limits,
    Recoveries,
    Report,
    StalledMount,
    Watches,
)
from gamin.cli.top_model import Figures, Keys, Sample, gauge, shown_clients, sparkline
from gamin.system.process_table import usage_of
from testkit.programs import COMMAND, gamin
from testkit.server_state import standing_still, status
from testkit.servers import OUR_SERVER, Server, running_server
from testkit.terminal import in_terminal
from testkit.waiting import eventually

pytest.importorskip("rich")
from gamin.cli.top_view import frame

CLIENTS = [
    Client(5, "make", "watchman", 3, 0),
    Client(7, "Editor", "gam", 1, 20),
    Client(6, "bash", "watchman", 3, 20),
]


def sample(time: float, clock: int = 0, pid: int = 9, cpu: float = 0.0) -> Sample:
    report = Report(
        version="1",
        pid=pid,
        uptime=61.0,
        session="s",
        addresses=[],
        clock=clock,
        clients=CLIENTS,
        watches=Watches(1200, 2, 3, 4, 5, 6),
        limits=Limits(1, 1),
        facilities={"inotify": Facility(95, 100)},
        recoveries=Recoveries(1, 2),
        stalled=[StalledMount("/mnt", "fuse", 5, "it hangs")],
        polled_for={"no_room": 5, "many_writes": 0},
        busy_paths=[BusyPath("/always/written", polled=True)],
    )
    return Sample(time, report, cpu, 12_000_000)


# -- figures


def test_rates_are_differences_by_time() -> None:
    figures = Figures()
    figures.add(sample(10, clock=100, cpu=1.0))
    figures.count(["/a", "/a", "/b"])
    figures.add(sample(12, clock=110, cpu=1.5))
    assert list(figures.activity) == [5]
    assert list(figures.events) == [1.5]
    assert figures.cpu_percent == 25


def test_the_rates_start_again_with_another_server() -> None:
    figures = Figures()
    figures.add(sample(10, clock=100, pid=1))
    figures.add(sample(11, clock=5, pid=2))
    assert list(figures.activity) == []


def test_the_busiest_paths_are_those_of_the_last_samples() -> None:
    figures = Figures()
    for time in range(top_model.HISTORY + 2):
        figures.add(sample(time))
        figures.count(["/old"] * 9 if time == 0 else ["/new", "/new", "/also"])
    assert [path for path, _ in figures.busiest(5)] == ["/new", "/also"]


@pytest.mark.parametrize(
    ("sorting", "pids"),
    [
        ("backlog", [6, 7, 5]),
        ("subscriptions", [5, 6, 7]),
        ("pid", [5, 6, 7]),
        ("program", [7, 6, 5]),
    ],
)
def test_clients_are_sorted(sorting: str, pids: list[int]) -> None:
    assert [c.pid for c in shown_clients(CLIENTS, sorting)] == pids


def test_clients_are_filtered_by_program_in_any_case() -> None:
    assert [c.pid for c in shown_clients(CLIENTS, "pid", "eDi")] == [7]


def test_a_sparkline_fills_its_height_and_keeps_its_width() -> None:
    assert sparkline([0, 5, 10], 8) == "▁▅█"
    assert sparkline([9, 0, 10], 2) == "▁█"
    assert sparkline([0, 0], 8) == "▁▁"
    assert sparkline([], 8) == ""


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 100))
def test_a_gauge_always_has_its_width(used: int, most: int, width: int) -> None:
    assert len(gauge(used, most, width)) == width


# -- keys


def pressed(keys: str) -> Keys:
    state = Keys()
    for key in keys:
        state = state.press(key)
    return state


def test_keys_quit_pause_and_sort() -> None:
    assert pressed("q").is_over
    assert pressed("p").is_paused
    assert not pressed("pp").is_paused
    assert pressed("s").sorting == "subscriptions"
    assert pressed("ssss").sorting == "backlog"


def test_keys_of_a_filter_are_not_commands() -> None:
    typed = pressed("/qsx\x7f")
    assert (typed.pattern, typed.is_typing, typed.is_over) == ("qs", True, False)
    assert pressed("/qs\r") == Keys(pattern="qs")
    assert pressed("/qs\x1b") == Keys()


@given(st.text())
def test_any_keys_leave_a_usable_state(keys: str) -> None:
    state = pressed(keys)
    assert state.sorting in top_model.SORTINGS
    assert state.pattern.isprintable()


# -- frames


def lines_of(figures: Figures, width: int = 80, height: int = 24) -> list[str]:
    return frame(figures, Keys(), width, height).plain.split("\n")


def test_a_frame_has_the_figures_of_the_server() -> None:
    figures = Figures()
    figures.add(sample(1))
    text = "\n".join(lines_of(figures))
    for part in (
        "process 9",
        "up 1 min 1 s",
        "12 MB",
        "1,200 kernel",
        "2 polled (5 without room)",
        "95 of 100",
        "1 overflows, 2 rescans",
        "/always/written",
        "/mnt for 5 s: it hangs",
        "Editor",
    ):
        assert part in text


names = st.text(max_size=30)
clients = st.builds(Client, st.integers(0), names, names, st.integers(0), st.just(1))


@given(
    st.integers(20, 200),
    st.integers(4, 60),
    st.lists(
        st.builds(Client, st.integers(0), names, names, st.integers(0), st.just(1))
    ),
    st.lists(names.map(lambda name: f"/{name}")),
)
def test_a_frame_fits_any_terminal_whatever_the_names(
    width: int, height: int, listed: list[Client], paths: list[str]
) -> None:
    figures = Figures()
    figures.add(sample(1))
    figures.count(paths)
    last = sample(2)
    figures.add(last._replace(report=_with_clients(last.report, listed)))
    shown = frame(figures, Keys(), width, height)
    lines = shown.split("\n", allow_blank=True)
    assert len(lines) == height
    assert all(line.cell_len <= width for line in lines)
    assert not re.search(r"[\0-\x09\x0b-\x1f\x7f-\x9f\udc80-\udcff]", shown.plain)


def _with_clients(report: Report, clients: list[Client]) -> Report:
    import msgspec

    return msgspec.structs.replace(report, clients=clients)


def test_without_a_server_a_frame_says_so() -> None:
    assert "waiting for a server" in lines_of(Figures())[0]


# -- the program


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server([str(OUR_SERVER)], home=str(tmp_path)) as server:
        yield server


def test_once_prints_one_frame_of_80_by_24(server: Server) -> None:
    done = gamin("top", "--once", "--interval", "0.2", session=server.session)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr, len(lines)) == (0, "", 24)
    assert f"process {server.pid}" in lines[0]
    assert "\x1b" not in done.stdout


def test_a_frame_can_be_written_as_svg(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "top.svg"
    words = ["top", "--once", "--interval", "0.2", "--svg", str(file)]
    done = gamin(*words, session=server.session)
    assert (done.returncode, done.stdout) == (0, "")
    picture = file.read_text()
    assert f"process&#160;{server.pid}" in picture
    assert "url(" not in re.sub(r"url\(#[^)]*\)", "", picture), "it loads nothing"


def test_top_runs_until_q_and_leaves_the_terminal_as_it_was(
    server: Server, tmp_path: Path
) -> None:
    env = {**os.environ, "GAM_CLIENT_ID": server.session, "TERM": "xterm"}
    words = ["top", "--interval", "0.2", str(tmp_path)]
    script = 'stty size; "$@"; echo "status $?"; stty -a'
    command = ["sh", "-c", script, "sh", *COMMAND, *words]
    with in_terminal(command, env=env, cwd=tmp_path) as program:
        program.await_text(f"process {server.pid}".encode())
        (tmp_path / "busy").mkdir()
        program.await_text(b"/busy")
        program.type(b"q")
        program.await_text(b"status 0")
        program.wait()
        modes = program.shown.split()
    assert b"icanon" in modes
    assert b"echo" in modes


def test_top_waits_for_the_next_server(server: Server, tmp_path: Path) -> None:
    env = {**os.environ, "GAM_CLIENT_ID": server.session, "TERM": "xterm"}
    words = ["top", "--interval", "0.2"]
    with in_terminal([*COMMAND, *words], env=env, cwd=tmp_path) as program:
        program.await_text(b"process")
        gamin("stop", session=server.session)
        program.await_text(b"waiting for a server")
        program.type(b"q")
        assert program.wait() == 0


def test_a_server_that_hangs_is_given_up_and_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAM_CLIENT_ID", server.session)
    now = 0.0
    figures, source = Figures(), top.Source(0.2, lambda: now)

    def update() -> bool:
        top._update(figures, source, None)
        return figures.sample is not None

    eventually(update)
    with standing_still(server.pid):
        update()  # what had been pushed before
        now += 0.2 + top.ANSWER_SECONDS - 1
        assert update(), "it may only be busy"
        assert source.due_in() == pytest.approx(1)
        now += 1
        assert not update()
        assert source.fileno() is None
        assert source.due_in() == top.RETRY_SECONDS
    eventually(update)
    source.close()


def test_the_wait_for_keys_ends_when_figures_are_due() -> None:
    silent, other = os.pipe()
    assert top._keys(None, silent, 0.001) == ""
    os.close(silent)
    os.close(other)


def test_while_it_is_paused_the_server_pushes_nothing(
    server: Server, tmp_path: Path
) -> None:
    env = {**os.environ, "GAM_CLIENT_ID": server.session, "TERM": "xterm"}

    def watchers() -> int:
        report = status({"GAM_CLIENT_ID": server.session})
        return sum(client.pid != os.getpid() for client in report.clients)

    words = ["top", "--interval", "0.2"]
    with in_terminal([*COMMAND, *words], env=env, cwd=tmp_path) as program:
        program.await_text(b"process")
        assert watchers() == 1
        program.type(b"p")
        program.await_text(b"(paused)")
        eventually(lambda: watchers() == 0)
        program.type(b"p")
        eventually(lambda: watchers() == 1)
        program.type(b"q")
        assert program.wait() == 0


def test_top_without_a_server_fails_at_once(session: str) -> None:
    done = gamin("top", "--once", session=session)
    assert done.returncode == 1
    assert done.stderr.startswith("gamin: no server is running")


def test_top_without_rich_says_what_to_install(session: str) -> None:
    program = (
        "import sys; sys.modules['rich'] = None\n"
        "from gamin.cli.main import main; sys.exit(main(['top', '--once']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'gamin[top]'" in done.stderr


@pytest.mark.parametrize("words", [["--svg", "x"], ["--interval", "0.01"], []])
def test_wrong_usage_is_status_64(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["top", *words])
    assert ended.value.code == 64


def test_the_usage_of_a_process_grows_and_that_of_none_is_nothing() -> None:
    used = usage_of(os.getpid())
    json.dumps(list(range(300_000)))
    assert used.memory > 1_000_000
    assert usage_of(os.getpid()).cpu_seconds >= used.cpu_seconds > 0
    assert usage_of(2**22 + 1) == (0, 0)
