"""Programs of the documentation, run as a reader would run them."""

import itertools
import signal
import subprocess
import sys
import threading
from pathlib import Path

from testkit.waiting import eventually

PLACE = "/home/me/project"
"""Where the documentation's programs are run, by what it says they print."""


def prints(program: str, expected: str, folder: Path) -> None:
    """Run `program` in `folder` until it has printed every line of `expected`.

    A file `src/hello.txt` comes and goes meanwhile, as it cannot be known when the
    program begins to watch. AssertionError if it ends before, or never prints it.
    """
    (folder / "src").mkdir()
    wanted = set(expected.replace(PLACE, str(folder)).splitlines())
    process = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-u", "-c", program],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed: list[str] = []
    assert process.stdout is not None
    reading = threading.Thread(
        target=lambda out: printed.extend(line.rstrip("\n") for line in out),
        args=(process.stdout,),
    )
    reading.start()
    file = folder / "src" / "hello.txt"

    turns = itertools.count()

    def has_printed() -> bool:
        if wanted <= set(printed):
            return True
        if process.poll() is not None:
            reading.join()
            return True
        if next(turns) % 20 == 0:  # not so often that the file counts as busy
            if file.exists():
                file.unlink()
            else:
                file.touch()
        return False

    try:
        eventually(has_printed, what=f"it to print {wanted}")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        reading.join()
        process.stdout.close()
    assert wanted <= set(printed), "\n".join(printed)
