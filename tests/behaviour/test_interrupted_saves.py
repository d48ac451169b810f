"""The random run of interrupted saves works: a few of its rounds, in a small tree."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = "-m soak.saves --rounds 4 --directories 20 --seed 4"


def test_clients_are_right_after_saves_that_were_interrupted() -> None:
    done = subprocess.run(
        [sys.executable, *COMMAND.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seed 4: 4 rounds" in done.stdout
    assert " 0 wrong" in done.stdout
