"""Lets the watchers of this Python program use gamin; `gamin exec` puts it in place.

Python imports a module of this name at every start, from the first folder of its path
that has one. This one imports nothing. If GAMIN_REPLACE is set, it waits for the first
import of a library whose engine is to be replaced; then it runs the `sitecustomize`
that it hides, if there is one.
"""

import os
import sys


class _FirstImport:
    """Installs gamin's engines when the first of the libraries is imported."""

    def __init__(self, libraries: list[str]) -> None:
        self.libraries = libraries

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Never finds anything: the finders after it do."""
        if name in self.libraries:
            self.libraries = []
            try:
                from gamin.compat.install import install_wanted
            except ImportError:
                _report_once()
            else:
                install_wanted()


def _report_once() -> None:
    """Say that nothing is replaced; only the first process of several does."""
    if "GAMIN_EXEC_REPORTED" not in os.environ:
        os.environ["GAMIN_EXEC_REPORTED"] = "1"
        sys.stderr.write(
            f"gamin exec: {sys.executable} has no gamin, so its watchers stay as they "
            "are (install gamin into its environment)\n"
        )


def _run_the_next_one() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    ours = sys.modules.pop("sitecustomize", None)
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        # The import system still wants to find this module, which it is loading.
        if ours is not None:
            sys.modules.setdefault("sitecustomize", ours)


if os.environ.get("GAMIN_REPLACE", "0") != "0":
    sys.meta_path.insert(0, _FirstImport(os.environ["GAMIN_REPLACE"].split(",")))
_run_the_next_one()
