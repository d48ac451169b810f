"""The yardstick: `bench/c/raw.c`."""

from bench.peers.base import Compiled
from bench.results import YARDSTICK


class Raw(Compiled):
    name = YARDSTICK
    about = "a C inotify reader that knows the names; no recovery (`bench/c/raw.c`)"
    source = "raw"
