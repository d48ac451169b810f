"""A server sleeps while nothing happens."""

from pathlib import Path

from tests.daemon.real import daemon, nothing_comes, watched

WINDOW = 1.0
TRIES = 30


def test_nothing_wakes_it_while_nothing_happens(session: str, tmp_path: Path) -> None:
    """Of several windows one must be without a wake-up: what other programs do in
    the directories above, /tmp among them, does wake it."""
    with daemon(session, tmp_path) as served, served.client() as client:
        for number in range(1000):
            (tmp_path / "box" / str(number)).mkdir(parents=True)
            client.watch_directory(tmp_path / "box" / str(number))
        watched(client, tmp_path / "box")
        while client.pending():
            client.next_event(0)
        for _ in range(TRIES):
            before, spent = served.wakeups(), served.ticks()
            assert nothing_comes(client, WINDOW)
            if served.wakeups() == before:
                assert served.ticks() == spent
                return
        raise AssertionError("it woke up in each of the windows")


def test_it_sleeps_again_after_what_was_busy_is_calm(
    session: str, tmp_path: Path
) -> None:
    rules = "flow calm_seconds 0.2\nflow report_interval 0.1\n"
    (tmp_path / "box").mkdir()
    with daemon(session, tmp_path, rules=rules) as served, served.client() as client:
        watched(client, tmp_path / "box")
        for _ in range(2000):
            (tmp_path / "box" / "file").write_text("x")
        for _ in range(TRIES):
            while client.next_event(0.5):
                pass
            before = served.wakeups()
            assert nothing_comes(client, WINDOW / 2)
            if served.wakeups() == before:
                return
        raise AssertionError("it woke up in each of the windows")
