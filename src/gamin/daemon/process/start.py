"""The entry point of the server's process: runs before anything else is imported."""

import gc
import sys


def main() -> int:
    """Give up what was inherited, and run `gamin.daemon.process.main.main`.

    The garbage collector is off during the imports: nothing that they make is ever
    freed, and scanning it costs a sixth of the start. `serve` turns it on.
    """
    gc.disable()
    import os

    from gamin.daemon.process.inherited import give_up  # late, see above
    from gamin.daemon.process.main import main
    from gamin.system.systemd import descriptor_count

    give_up(keep=descriptor_count(os.environ, os.getpid()))
    return main()


if __name__ == "__main__":
    # Run as a file by an isolated Python, which may not know where this package is.
    sys.path.append(__file__.rsplit("/", 4)[0])
    sys.exit(main())
