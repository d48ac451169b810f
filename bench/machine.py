"""Describes the machine, on which the figures depend."""

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path


def machine(place: Path) -> dict[str, str]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory()} GiB",
        "system": f"{platform.system()} {platform.release()}, {_distribution()}",
        "python": f"{platform.python_version()} {_origin()}",
        "place": f"{place} ({_filesystem(place)})",
        "queue": _value("/proc/sys/fs/inotify/max_queued_events"),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> int:
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)


def _origin() -> str:
    """Who built the interpreter: some builds are a sixth slower than others."""
    return "as distributed" if sys.base_prefix == "/usr" else "not the distribution's"


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "unknown distribution"


def _filesystem(place: Path) -> str:
    """The type of the file system that `place` is on."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    above = [
        (len(point), kind)
        for _, point, kind, *_ in mounts
        if place.is_relative_to(point)
    ]
    return max(above)[1]


def _value(path: str) -> str:
    return Path(path).read_text().strip()
