"""Programs that count the files whose creation a library reports to them.

Tests and `python -m bench.drop_in` stop them while many files are created.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# Silence is counted in steps of 50 ms, and not taken from a clock: that goes on while
# the program is stopped.
_WATCHFILES = """
import sys
{import_line}
root, count, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
seen, silent, is_ready = set(), 0, False
for changes in watch(
    root, watch_filter=None, step=1, rust_timeout=50, yield_on_timeout=True
):
    if not is_ready:
        print("ready", flush=True)
        is_ready = True
    silent = 0 if changes else silent + 1
    seen |= {{path for _, path in changes if "/f" in path[len(root) :]}}
    if len(seen) >= count or silent > steps:
        break
print(len(seen), flush=True)
"""
_WATCHDOG = """
import sys, threading
from watchdog.events import FileSystemEventHandler
{import_line}
root, count, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
seen, silent, is_over = set(), 0, threading.Event()
class Handler(FileSystemEventHandler):
    def on_created(self, event):
        if "/f" in event.src_path[len(root) :]:
            seen.add(event.src_path)
        if len(seen) >= count:
            is_over.set()
observer = Observer()
observer.schedule(Handler(), root, recursive=True)
observer.start()
print("ready", flush=True)
before = 0
while not is_over.wait(0.05) and silent <= steps:
    silent, before = 0 if len(seen) > before else silent + 1, len(seen)
print(len(seen), flush=True)
observer.stop()
observer.join()
"""
READERS = {
    "watchfiles": _WATCHFILES.format(
        import_line="from gamin.compat.watchfiles import watch"
    ),
    "watchdog": _WATCHDOG.format(
        import_line="from gamin.compat.watchdog import Observer"
    ),
}
"""By library, over the service."""
OWN_READERS = {
    "watchfiles": _WATCHFILES.format(import_line="from watchfiles import watch"),
    "watchdog": _WATCHDOG.format(import_line="from watchdog.observers import Observer"),
}
"""By library, on its own engine."""


def count_while_stopped(
    code: str,
    top: Path,
    files: int,
    *,
    folders: int = 20,
    seconds: float = 10.0,
    half_way: Callable[[], object] = lambda: None,
) -> int:
    """How many of `files` new files a reader reports that is stopped meanwhile.

    It waits until nothing has come for so many seconds; `half_way` is called between
    creations.
    """
    for number in range(folders):
        (top / f"d{number}").mkdir()
    steps = str(int(seconds / 0.05))
    command = [sys.executable, "-c", code, str(top), str(files), steps]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    try:
        assert reader.stdout.readline() == "ready\n"
        os.kill(reader.pid, signal.SIGSTOP)
        for number in range(files):
            if number == files // 2:
                half_way()
            (top / f"d{number % folders}" / f"f{number}").touch()
        os.kill(reader.pid, signal.SIGCONT)
        return int(reader.stdout.readline())
    finally:
        with suppress(ProcessLookupError):
            reader.kill()
        reader.wait()
        reader.stdout.close()
