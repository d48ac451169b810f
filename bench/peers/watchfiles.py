"""watchfiles, a Python package around the Rust crate notify."""

from importlib.metadata import version

from bench.peers.base import PROGRAMS, Interpreted, Request


class Watchfiles(Interpreted):
    name = "watchfiles"
    about = "`watchfiles.watch()` as it comes"
    package = "watchfiles"
    client = "watchfiles_client"
    announces = False

    def version(self) -> str:
        return f"watchfiles {version('watchfiles')}"

    def help(self) -> list[str]:
        return [str(PROGRAMS / "watchfiles"), "--help"]


class WatchfilesTuned(Watchfiles):
    name = "watchfiles-tuned"
    about = "the same with `debounce=1, step=1`"
    restless = 0.15  # it polls its own queue a thousand times a second

    def arguments(self, request: Request) -> list[str]:
        return [*super().arguments(request), "--tuned"]
