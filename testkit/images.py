"""File systems in images, mounted for tests by root where the kernel can do it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from testkit.servers import can_mount

LONG_AGO = 1_577_836_800
"""The time of all files in an image, in seconds since 1970."""


def make_image(folder: Path) -> Path:
    """An image with the files of a folder, all of the same time."""
    image = folder.with_suffix(".squashfs")
    command = ["mksquashfs", str(folder), str(image), "-quiet", "-no-progress"]
    subprocess.run(
        [*command, "-all-time", str(LONG_AGO)], check=True, stdout=subprocess.DEVNULL
    )
    return image


@contextmanager
def mounted(image: Path, point: Path) -> Iterator[None]:
    """Raises CalledProcessError where that cannot be."""
    point.mkdir(exist_ok=True)
    command = ["mount", "-o", "loop,ro", str(image), str(point)]
    subprocess.run(command, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(point)], check=False)


@cache
def can_make_images() -> bool:
    return (
        shutil.which("mksquashfs") is not None
        and "squashfs" in Path("/proc/filesystems").read_text().split()
        and can_mount()
    )
