"""The sizes of all works: as published, and small for a quick try."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    pings: int = 300
    ping_seconds: int = 30  # slow peers get fewer pings
    tree: int = 2_000  # directories
    storm: tuple[int, int, int] = (100, 10, 100)  # directories, rounds, files in each
    archive: tuple[int, int] = (2_000, 20_000)  # directories, files
    large: tuple[int, int] = (20_000, 200_000)
    differing: int = 1_000  # files of those
    clients: int = 20
    idle_seconds: int = 30
    appends: tuple[int, int] = (20_000, 10)  # a second, seconds
    churn: tuple[int, int] = (2_000, 10)  # as above
    starts: int = 5


QUICK = Size(
    pings=30,
    ping_seconds=5,
    tree=200,
    storm=(20, 4, 50),
    archive=(100, 1_000),
    large=(500, 5_000),
    differing=100,
    clients=3,
    idle_seconds=2,
    appends=(20_000, 2),
    churn=(2_000, 2),
    starts=2,
)
