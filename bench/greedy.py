"""What an innocent client feels while another one is greedy: `python -m bench greedy`.

    python -m bench.greedy [--quick] [--place DIRECTORY] [ACT…]

For each act: a server of its own, and one innocent client of each language (libgamin in
C, Watchman's JSON, `gamin.watch`), each pinged by files that are made one at a time.
The first line has no greedy client. Figures are median / 99 % in milliseconds; then the
longest callback of the server's loop (CPU), the time until `stop` is answered while the
act goes on, and how much memory (PSS) the server gained at the most.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

from bench.build import program
from bench.greedy_acts import ACTS, PATIENCE, REPOSITORY, Act, Served

LANGUAGES = ("libgamin", "JSON", "Python")
COMMANDS = {
    "JSON": [sys.executable, "-m", "bench.peers.json_client"],
    "Python": [sys.executable, "-m", "bench.peers.gamin_client"],
}


@contextmanager
def innocent(served: Served, language: str) -> Iterator[tuple[Path, int]]:
    """A client that watches an empty directory; the directory, and its output."""
    folder = served.place / language
    folder.mkdir()
    command = COMMANDS.get(language) or [program("fam")]
    environ = os.environ | served.environ | {"GAMIN_DEBUG_SERVER": "/bin/false"}
    process = subprocess.Popen(
        [*command, str(folder), "--flat", "--stamp"],
        cwd=REPOSITORY,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield folder, process.stdout.fileno()
    finally:
        process.kill()
        process.wait()


def run(act: Act, served: Served, pings: int) -> list[str]:
    """One line of the table."""
    with ExitStack() as several:
        clients = [several.enter_context(innocent(served, each)) for each in LANGUAGES]
        served.longest_callback()
        memory = most = served.memory()
        over = threading.Event()
        greedy = threading.Thread(target=act, args=(served, over))
        greedy.start()
        time.sleep(0.2)
        ping = [program("ping")]
        pinging = [
            subprocess.Popen(
                [*ping, str(folder), str(pings), str(PATIENCE)],
                stdin=output,
                stdout=subprocess.PIPE,
                text=True,
            )
            for folder, output in clients
        ]
        while any(each.poll() is None for each in pinging):
            most = max(most, served.memory())
            time.sleep(0.1)
        figures = [_figures(each.communicate()[0].split()) for each in pinging]
        longest = served.longest_callback()
        answered = served.stop()
        over.set()
        greedy.join(PATIENCE)
    gained = max(0, most - memory) / 2**20
    longest_ms, answered_ms = longest * 1000, answered * 1000
    return [*figures, f"{longest_ms:.0f}", f"{answered_ms:.0f}", f"{gained:.1f}"]


def _figures(answers: list[str]) -> str:
    delays = [int(answer) / 1e6 for answer in answers if answer != "lost"]
    lost = len(answers) - len(delays)
    if len(delays) < 2:
        return f"{lost} lost"
    slow = quantiles(delays, n=100, method="inclusive")[98]
    return f"{median(delays):.1f} / {slow:.1f}" + (f" ({lost} lost)" if lost else "")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench greedy")
    parser.add_argument("acts", nargs="*", metavar="ACT", help=", ".join(ACTS))
    parser.add_argument("--quick", action="store_true", help="small, to see it work")
    parser.add_argument("--place", type=Path, default="/dev/shm")
    options = parser.parse_args(arguments)
    directories, files, pings = (
        (200, 2_000, 30) if options.quick else (20000, 200000, 300)
    )
    heads = [*LANGUAGES, "longest callback", "stop", "memory"]
    print("|", " | ".join(["beside", *heads]), "|")
    print("|", " | ".join(["---"] + ["---:"] * len(heads)), "|")
    for name in options.acts or ACTS:
        place = Path(tempfile.mkdtemp(prefix="gamin-bench-", dir=options.place))
        served = Served(place, directories, files)
        try:
            print("|", " | ".join([name, *run(ACTS[name], served, pings)]), "|")
            sys.stdout.flush()
        finally:
            served.close()
            shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
