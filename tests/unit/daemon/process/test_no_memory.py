import subprocess
import sys

from gamin.daemon.process.no_memory import STATUS

PROGRAM = """
import atexit
from gamin.daemon.process.no_memory import end_without_memory
atexit.register(print, "saved")
end_without_memory()
"""


def test_the_process_ends_at_once_with_a_line_and_saves_nothing() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert ended.returncode == STATUS
    assert ended.stdout == ""
    assert "no memory is left" in ended.stderr
    assert ended.stderr.count("\n") == 1
