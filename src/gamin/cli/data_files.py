"""The files that a package installs below `share`, so that shells and `man` find them.

`hatch_build.py` runs this module when it builds a wheel, and `make deb` takes them from
there. `gamin completions` and `gamin man` print the same texts.
"""

import sys
from pathlib import Path

from gamin.cli.describe import commands
from gamin.cli.manual_page import page
from gamin.cli.shell_completion import SHELLS

COMPLETIONS = {
    "bash": "share/bash-completion/completions/gamin",
    "zsh": "share/zsh/site-functions/_gamin",
    "fish": "share/fish/vendor_completions.d/gamin.fish",
}
"""Where each shell looks, below the prefix of an installation."""
MANUAL_PAGE = "share/man/man1/gamin.1"


def data_files() -> dict[str, str]:
    """Their texts, by path below the prefix."""
    described = commands()
    files = {
        path: "".join(SHELLS[shell](described)) for shell, path in COMPLETIONS.items()
    }
    return {**files, MANUAL_PAGE: "".join(page(described))}


def write(directory: Path) -> None:
    """Write them below `directory`, as they lie below a prefix."""
    for name, text in data_files().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
