"""A client can ask to be informed when the server switches to polling and back."""

from pathlib import Path

from gamin.protocol.gam.packets import Packet, PacketReader
from testkit.daemon import Daemon, daemon, nothing_comes, packet, watched
from testkit.storms import appending, coming_and_going

RULES = (
    "flow calm_seconds 0.2\nflow report_interval 0.1\nflow raw_events_per_second 50\n"
)
DEBUG = 4
FLOW_ON, FLOW_OFF = 54, 55
NUMBER = 77


def noted(served: Daemon, box: Path, *, churn: bool) -> list[Packet]:
    """What such a client receives while a storm begins and ends."""
    with served.connect() as asked, served.client() as client:
        asked.settimeout(20)
        asked.sendall(packet(NUMBER, DEBUG, b"notify"))
        watched(client, box)
        reader = PacketReader(pathless=0)
        reported: list[Packet] = []
        with coming_and_going(box, 500) if churn else appending(box / "log", 500):
            while not reported:
                reported += reader.feed(asked.recv(4096))
        while len(reported) < 2:
            reported += reader.feed(asked.recv(4096))
    return reported


def test_a_file_written_all_the_time_is_polled_and_later_watched_again(
    session: str, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    with daemon(session, tmp_path, rules=RULES) as served:
        assert noted(served, box, churn=False) == [
            (NUMBER, FLOW_ON, bytes(box)),
            (NUMBER, FLOW_OFF, bytes(box)),
        ]


def test_a_directory_in_turmoil_is_polled_and_later_watched_again(
    session: str, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    with daemon(session, tmp_path, rules=RULES) as served:
        assert noted(served, box, churn=True) == [
            (NUMBER, FLOW_ON, bytes(box)),
            (NUMBER, FLOW_OFF, bytes(box)),
        ]


def test_a_client_that_did_not_ask_gets_no_debug_events(
    session: str, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    with daemon(session, tmp_path, rules=RULES) as served, served.connect() as other:
        noted(served, box, churn=False)
        assert nothing_comes(other, 0)
