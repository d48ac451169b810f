"""Fuzzes the targets one after another: `python -m fuzz [SECONDS [TARGET…]]`.

atheris starts from the target's seeds and guides the bytes by the code that they reach.
A finding is left as a file `crash-…` in the current directory, and the status is 1.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 60
"""For each target."""


def fuzz(name: str, seconds: str, corpus: str) -> None:
    """Fuzz one target in this process; does not return. Inputs that reach new code are
    added to the directory `corpus`."""
    # Made for one platform and few interpreters, so it is no development dependency.
    import atheris

    with atheris.instrument_imports(include=["gamin"]):
        from fuzz.targets import TARGETS
    target = TARGETS[name]

    def call(data: bytes) -> None:
        target(data)  # atheris takes no result

    options = [f"-max_total_time={seconds}", "-timeout=10", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, corpus], call)
    atheris.Fuzz()


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--one"]:
        fuzz(*arguments[1:])
    # Late: `fuzz` imports both with instruments.
    from fuzz.seeds import SEEDS
    from fuzz.targets import TARGETS

    seconds = arguments[0] if arguments else str(SECONDS)
    failed = []
    for name in arguments[1:] or TARGETS:
        with tempfile.TemporaryDirectory() as corpus:
            for number, seed in enumerate(SEEDS[name]):
                Path(corpus, f"seed-{number}").write_bytes(seed)
            command = [sys.executable, "-m", "fuzz", "--one", name, seconds, corpus]
            status = subprocess.run(command, check=False).returncode
        sys.stdout.write(f"{name}: {'a finding' if status else 'nothing found'}\n")
        sys.stdout.flush()
        if status:
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
