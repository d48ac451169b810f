"""The works by name, in the order of the tables."""

from bench.work.archive import ARCHIVE
from bench.work.base import Work
from bench.work.clients import CLIENTS
from bench.work.idle import IDLE
from bench.work.latency import APART, DEEP, QUIET
from bench.work.reconnect import RECONNECT
from bench.work.restless import CHURN, HAMMER
from bench.work.resume import RESUME
from bench.work.setup import SETUP
from bench.work.startup import STARTUP
from bench.work.storm import STORM

WORKS: dict[str, Work] = {
    work.name: work
    for work in (
        QUIET,
        APART,
        DEEP,
        STORM,
        ARCHIVE,
        SETUP,
        CLIENTS,
        IDLE,
        HAMMER,
        CHURN,
        STARTUP,
        RECONNECT,
        RESUME,
    )
}
