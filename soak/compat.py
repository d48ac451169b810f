"""The long random run of watchfiles' and watchdog's interfaces against a model.

    python -m soak.compat [--operations N] [--seeds N] [--first-seed N]

Exit status 1 if one of them reported too little, or a path that was not concerned.
"""

import argparse
import sys
import tempfile
import time
import uuid
import warnings
from pathlib import Path

from testkit.compat_peers import PEERS, compare
from testkit.watches import serving


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.compat")
    parser.add_argument("--operations", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=1)
    args = parser.parse_args()
    # A watch that falls back to the library's own engine would prove nothing.
    warnings.simplefilter("error", RuntimeWarning)
    failures = 0
    for name in PEERS:
        for seed in range(args.first_seed, args.first_seed + args.seeds):
            began = time.monotonic()
            with (
                serving(f"soak-{uuid.uuid4()}"),
                tempfile.TemporaryDirectory() as top,
            ):
                found = compare(name, Path(top), seed, args.operations)
            failures += len(found.less) + len(found.wrong)
            seconds = time.monotonic() - began
            lines = [
                f"{name}, seed {seed}: {args.operations} operations in {seconds:.0f} s,"
                f" {len(found.less)} reported less, {len(found.wrong)} wrong paths",
                *(f"  {line}" for line in (*found.less, *found.wrong)),
            ]
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
