"""The figures of `gamin top`, from samples of a clock that tests move."""

from hypothesis import given
from hypothesis import strategies as st

from gamin.cli.status import Client, Report, read
from gamin.cli.top_model import (
    HISTORY,
    SORTINGS,
    Figures,
    Keys,
    Sample,
    gauge,
    shown_clients,
    sparkline,
)


def report(clock: int = 0, pid: int = 7) -> Report:
    watches = ("kernel", "polled", "busy", "missing", "no_room", "unreadable")
    return read(
        {
            "version": "1",
            "pid": pid,
            "uptime": 1.0,
            "session": "",
            "addresses": [],
            "clock": clock,
            "clients": [],
            "watches": dict.fromkeys(watches, 0),
            "limits": {"max_user_watches": 1, "max_user_instances": 1},
            "facilities": {},
            "recoveries": {"overflows": 0, "rescans": 0},
        }
    )


def sample(time: float, clock: int = 0, cpu: float = 0.0, pid: int = 7) -> Sample:
    return Sample(time, report(clock, pid), cpu, 0)


def client(pid: int, program: str, subscriptions: int = 0, backlog: int = 0) -> Client:
    return Client(pid, program, "gam", subscriptions, backlog)


def test_the_first_sample_has_no_rate() -> None:
    figures = Figures()
    figures.add(sample(1.0, 100))
    assert (list(figures.activity), figures.cpu_percent) == ([], 0.0)


def test_rates_are_differences_by_seconds() -> None:
    figures = Figures()
    figures.add(sample(10.0, 100, cpu=1.0))
    figures.count(["/a", "/b", "/a"])
    figures.add(sample(12.0, 110, cpu=1.5))
    assert list(figures.activity) == [5.0]
    assert list(figures.events) == [1.5]
    assert figures.cpu_percent == 25.0


def test_the_rates_start_again_with_another_server() -> None:
    figures = Figures()
    figures.add(sample(1.0, 100, pid=7))
    figures.add(sample(2.0, 1, pid=8))
    assert list(figures.activity) == []
    figures.add(sample(3.0, 3, pid=8))
    assert list(figures.activity) == [2.0]


def test_the_busiest_paths_are_those_of_the_last_samples() -> None:
    figures = Figures()
    figures.add(sample(0.0))
    figures.count(["/old"] * 9)
    for second in range(1, HISTORY + 2):
        figures.add(sample(float(second)))
        figures.count(["/b", "/a"] if second == HISTORY else ["/b"])
    assert figures.busiest(9) == [("/b", HISTORY), ("/a", 1)]
    assert figures.busiest(1) == [("/b", HISTORY)]


def test_clients_are_sorted_by_figures_downwards_and_by_names_upwards() -> None:
    vim = client(2, "Vim", subscriptions=1)
    code = client(1, "code", subscriptions=9, backlog=3)
    emacs = client(3, "emacs", subscriptions=1, backlog=3)
    clients = [emacs, code, vim]
    assert shown_clients(clients, "backlog") == [code, emacs, vim]
    assert shown_clients(clients, "subscriptions") == [code, vim, emacs]
    assert shown_clients(clients, "pid") == [code, vim, emacs]
    assert shown_clients(clients, "pid", "VI") == [vim]


def test_the_highest_bar_fills_its_line() -> None:
    assert sparkline([0, 5, 10], 9) == "▁▅█"
    assert sparkline([0, 0], 9) == "▁▁"
    assert sparkline([9, 1, 2], 2) == "▅█"
    assert sparkline([], 9) == ""


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 200))
def test_a_gauge_has_its_width_whatever_it_measures(
    used: int, most: int, width: int
) -> None:
    bar = gauge(used, most, width)
    assert len(bar) == width
    if used >= most > 0:
        assert "░" not in bar


def pressed(*keys: str) -> Keys:
    state = Keys()
    for key in keys:
        state = state.press(key)
    return state


def test_keys_end_pause_and_sort() -> None:
    assert pressed("q").is_over
    assert pressed("p").is_paused
    assert not pressed("p", " ").is_paused
    assert pressed("s").sorting == SORTINGS[1]
    assert pressed(*"s" * len(SORTINGS)).sorting == SORTINGS[0]


def test_while_the_filter_is_typed_keys_are_text() -> None:
    typed = pressed("/", "q", "p", "x", "\x7f")
    assert (typed.pattern, typed.is_typing, typed.is_over) == ("qp", True, False)
    assert pressed("/", "q", "\r") == Keys(pattern="q")
    assert pressed("/", "q", "\x1b") == Keys()


@given(st.lists(st.characters(), max_size=20))
def test_no_key_puts_a_control_character_into_the_filter(keys: list[str]) -> None:
    assert pressed("/", *keys).pattern.isprintable()
