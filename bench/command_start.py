"""Measures how soon after a change `gamin run` starts its command, beside entr.

    python -m bench.command_start [CHANGES]

Both watch one file and run the same command, which writes to a FIFO. Prints the median,
in milliseconds, from before the write to what the FIFO says; the two take turns. Each
waits on purpose for changes that belong together: `gamin run` 20 ms (`--debounce`), and
entr 50. So the first figure is what a user waits for, and the one without the pause is
what the tool takes.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from testkit.programs import COMMAND
from testkit.servers import OUR_SERVER, running_server

CHANGES = 40
"""Changes for each tool."""
ROUNDS = 4
"""Turns of each tool."""
REST = 0.3
"""Seconds between two changes: a file that changes more often counts as busy."""
WAITS = {"gamin run": 20.0, "entr": 50.0}
"""Milliseconds for which each waits for more changes."""


def measure(words: list[str], listed: bytes, place: Path, count: int) -> list[float]:
    """Milliseconds from each of so many changes to the start of the command."""
    file, fifo = place / "src" / "file", place / "fifo"
    found: list[float] = []
    with ExitStack() as ending:
        reading = os.open(fifo, os.O_RDWR)
        ending.callback(os.close, reading)
        command = ["sh", "-c", f"echo x > {fifo}"]
        process = subprocess.Popen(
            [*words, *command], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        ending.callback(process.wait)
        ending.callback(process.terminate)
        assert process.stdin is not None
        process.stdin.write(listed)
        process.stdin.close()
        os.read(reading, 2)  # the first run is that of the start
        for _ in range(count):
            time.sleep(REST)
            start = time.monotonic()
            with file.open("a") as text:
                text.write("x")
            os.read(reading, 2)
            found.append((time.monotonic() - start) * 1e3)
    return found


def main(words: list[str]) -> int:
    if shutil.which("entr") is None:
        print("entr is not installed")
        return 1
    count = int(words[0]) if words else CHANGES
    found: dict[str, list[float]] = {tool: [] for tool in WAITS}
    with ExitStack() as ending:
        folder = ending.enter_context(tempfile.TemporaryDirectory())
        server = running_server([str(OUR_SERVER), "--notimeout"], home=folder)
        os.environ["GAM_CLIENT_ID"] = ending.enter_context(server).session
        place = Path(folder)
        (place / "src").mkdir()
        (place / "src" / "file").touch()
        os.mkfifo(place / "fifo")
        run = [*COMMAND, "run", "-q", str(place / "src"), "--"]
        listed = f"{place}/src/file\n".encode()
        for _ in range(ROUNDS):
            share = count // ROUNDS
            found["gamin run"] += measure(run, b"", place, share)
            found["entr"] += measure(["entr", "-n"], listed, place, share)
    for tool, times in found.items():
        median = statistics.median(times)
        print(f"{tool:10} {median:6.1f} ms, {median - WAITS[tool]:5.1f} without pause")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
