"""Where the server's process begins: what comes before everything else is imported."""

import gc
import sys


def main() -> int:
    """As `gamin.daemon.process.main.main`, a sixth sooner.

    What is made while modules are imported stays; looking for garbage in it is in vain.
    `serve` lets the collector run again.
    """
    gc.disable()
    from gamin.daemon.process.main import (
        main,  # the point of this file is that it comes now
    )

    return main()


if __name__ == "__main__":
    # Run as a file by an isolated Python, which may not know where this package is.
    sys.path.append(__file__.rsplit("/", 4)[0])
    sys.exit(main())
