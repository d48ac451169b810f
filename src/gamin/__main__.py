"""`python -m gamin`: the same program as `gamin`, which is left to `gamin.cli`."""

import sys

from gamin.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
