"""The entry point of `gam_server`."""

import subprocess
import sys


def test_imports_run_without_the_garbage_collector() -> None:
    program = (
        "import gc, sys; sys.argv = ['gam_server', '--help'];"
        "from gamin.daemon.process import start;"
        "status = start.main(); print(status, gc.isenabled())"
    )
    printed = subprocess.check_output([sys.executable, "-c", program], text=True)
    usage, last = printed.splitlines()
    assert usage.startswith("usage: gam_server")
    assert last == "0 False"
