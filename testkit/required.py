"""Programs that a test needs: without one it is skipped, or fails where it is required.

`.ci/run` requires what it has installed, so that a test that it pays for is not lost
unseen.
"""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ORIGINAL = "GAMIN_REQUIRE_ORIGINAL"
"""Set to 1 to require everything that the interoperation tests need but courier-imap
and npm."""
SYSTEMD = "GAMIN_REQUIRE_SYSTEMD"
"""Set to 1 to require systemd-analyze, which checks the units."""
COURIER = "GAMIN_REQUIRE_COURIER"
"""Set to 1 to require courier-imap."""


def is_required(variable: str = ORIGINAL) -> bool:
    return os.environ.get(variable) == "1"


def missing(what: str, variable: str = ORIGINAL) -> NoReturn:
    """Skip the test, or fail it where `variable` is set."""
    if is_required(variable):
        pytest.fail(f"{variable}=1, but there is no {what}")
    pytest.skip(f"no {what} here: see CONTRIBUTING")


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips a test without these programs. Where they are required, it fails then."""
    lacking = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(
        bool(lacking) and not is_required(), reason=f"no {', '.join(lacking)} here"
    )


def compiler_for_libfam() -> str:
    """The C compiler, where the headers of libfam are, too."""
    compiler = shutil.which("cc")
    if not compiler or not Path("/usr/include/fam.h").exists():
        missing("C compiler with libfam's headers")
    return compiler
