"""watchdog, a Python package."""

from importlib.metadata import version

from bench.peers.base import Interpreted


class Watchdog(Interpreted):
    name = "watchdog"
    about = "`watchdog.observers.Observer`, one handler"
    package = "watchdog"
    client = "watchdog_client"

    def version(self) -> str:
        return f"watchdog {version('watchdog')}"

    def detected_loss(self, errors: bytes) -> bool:
        return b"overflow" in errors  # it logs this; the handler does not learn of it
