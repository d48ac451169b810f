"""A program that is stopped while many files are created, and its server killed.

Each library by itself loses what its queue does not take.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from testkit.watches import kill_server, serving

pytestmark = pytest.mark.usefixtures("server")

FOLDERS, FILES = 20, 3_000

WATCHFILES = """
import sys, time
from gamin.compat.watchfiles import watch
root, count, seen, is_ready = sys.argv[1], int(sys.argv[2]), set(), False
end = time.monotonic() + 30
for changes in watch(
    root, watch_filter=None, step=1, rust_timeout=50, yield_on_timeout=True
):
    if not is_ready:
        print("ready", flush=True)
        is_ready = True
    seen |= {path for _, path in changes if "/f" in path[len(root) :]}
    if len(seen) >= count or time.monotonic() > end:
        break
print(len(seen), flush=True)
"""
WATCHDOG = """
import sys, threading
from watchdog.events import FileSystemEventHandler
from gamin.compat.watchdog import Observer
root, count, seen, is_over = sys.argv[1], int(sys.argv[2]), set(), threading.Event()
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
is_over.wait(30)
print(len(seen), flush=True)
observer.stop()
observer.join()
"""
READERS = {"watchfiles": WATCHFILES, "watchdog": WATCHDOG}


@pytest.fixture
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


@pytest.mark.parametrize("name", READERS)
def test_a_stopped_program_misses_no_file_though_the_server_is_killed(
    name: str, tmp_path: Path
) -> None:
    pytest.importorskip("watchdog")
    for number in range(FOLDERS):
        (tmp_path / f"d{number}").mkdir()
    command = [sys.executable, "-c", READERS[name], str(tmp_path), str(FILES)]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    try:
        assert reader.stdout.readline() == "ready\n"
        os.kill(reader.pid, signal.SIGSTOP)
        for number in range(FILES):
            if number == FILES // 2:
                kill_server()
            (tmp_path / f"d{number % FOLDERS}" / f"f{number}").touch()
        os.kill(reader.pid, signal.SIGCONT)
        assert int(reader.stdout.readline()) == FILES
    finally:
        with suppress(ProcessLookupError):
            reader.kill()
        reader.wait()
        reader.stdout.close()
