"""`python -m bench`; everything is in `bench.driver`."""

import sys

from bench.driver import main

sys.exit(main(sys.argv[1:]))
