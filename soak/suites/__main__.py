"""The own tests of watchfiles and watchdog, on their engines and over the service.

    python -m soak.suites [--into DIR] [--rounds N] [NAME...]

Names are those of the suites, as `watchdog-7.1.0`. pip downloads each library and its
source archive into a temporary directory, or into DIR, where the next run finds them.

Exit status 1 if a test passes on the library's own engine and fails over the service,
and is not known to (`soak/suites/known.py`).
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from soak.suites.known import SUITES, Suite
from testkit.watches import serving

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
RUN_SECONDS = 900
"""Seconds that one run of a suite may take."""
TEST_SECONDS = 60
"""Seconds that one test may take."""


class Outcome(NamedTuple):
    """The tests of one run."""

    passed: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]

    def __str__(self) -> str:
        failed = f", {len(self.failed)} fail" if self.failed else ""
        return f"{len(self.passed)} pass{failed}, {len(self.skipped)} skip"


def outcome_of(report: Path) -> Outcome:
    """Read what pytest wrote as JUnit XML."""
    found: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set()}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        tags = {child.tag for child in case}
        if tags & {"failure", "error"}:
            found["failed"].add(name)
        else:
            found["skipped" if "skipped" in tags else "passed"].add(name)
    return Outcome(*map(frozenset, found.values()))


def unexpected(suite: Suite, own: Outcome, ours: Outcome) -> list[str]:
    """The tests that fail over the service only, without a known reason."""
    return sorted(
        name
        for name in ours.failed - own.failed
        if name.rpartition("::")[2].partition("[")[0] not in suite.known
    )


class Place:
    """The directory of a suite: its source, and an environment that has the library."""

    def __init__(self, suite: Suite, directory: Path) -> None:
        self._suite = suite
        self._source = directory / suite.name
        self._venv = directory / f"venv-{suite.name}"
        self._python = str(self._venv / "bin" / "python")
        if not self._source.is_dir():
            self._download(directory)
        self._install()

    def _download(self, directory: Path) -> None:
        library, version = self._suite.library, self._suite.version
        words: list[str | Path] = ["download", "--no-deps", "--no-binary", library]
        environ = dict(os.environ)
        if library == "watchfiles":
            words.append("--no-build-isolation")
            environ["PYTHONPATH"] = str(HERE / "backend")
        words += ["--dest", directory, f"{library}=={version}"]
        pip(sys.executable, *words, environ=environ)
        with tarfile.open(directory / f"{self._suite.name}.tar.gz") as archive:
            # Not the package, which has no compiled part and would hide the other.
            package = f"{self._suite.name}/{library}/"
            members = [each for each in archive if not each.name.startswith(package)]
            archive.extractall(directory, members, filter="data")

    def _install(self) -> None:
        if not self._venv.is_dir():
            subprocess.run([sys.executable, "-m", "venv", self._venv], check=True)
        suite = self._suite
        wanted = [f"{suite.library}=={suite.version}", *suite.requirements]
        pip(self._python, "install", *wanted, "pytest", "pytest-timeout", PROJECT)
        # Not editable: the suite runs on what is there now.
        pip(self._python, "install", "--no-deps", "--force-reinstall", PROJECT)

    def run(self, tests: Sequence[str] = (), **environ: str) -> Outcome:
        """Run the tests; `environ` is what the plugin reads."""
        report = self._venv / "report.xml"
        words = ["-m", "pytest", "-q", "-p", "gamin_suite", "-p", "no:cacheprovider"]
        limit = ["--timeout", f"{TEST_SECONDS}", "--junit-xml", f"{report}"]
        environ = {**os.environ, "PYTHONPATH": str(HERE / "plugin"), **environ}
        report.unlink(missing_ok=True)
        done = subprocess.run(
            [self._python, *words, *limit, *self._suite.options, *tests],
            cwd=self._source,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=RUN_SECONDS,
            check=False,
        )
        if not report.exists():
            raise RuntimeError(f"pytest ran no test:\n{done.stdout}{done.stderr}")
        return outcome_of(report)


def pip(python: str, *words: str | Path, environ: dict[str, str] | None = None) -> None:
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *map(str, words)], env=environ, check=True)


def run_suite(suite: Suite, place: Place) -> bool:
    """Print what differs; return whether nothing unknown does."""
    own = place.run()
    say(f"{suite.name}: its own engine: {own}")
    ours = place.run(SUITE_REPLACE=suite.library)
    say(f"{suite.name}: over gamin: {ours}")
    found = unexpected(suite, own, ours)
    if suite.without_opens:
        fewer = place.run(
            [suite.without_opens], SUITE_REPLACE=suite.library, SUITE_WITHOUT_OPENS="1"
        )
        say(f"{suite.name}: {suite.without_opens} without opens: {fewer}")
        for name in sorted(fewer.failed):
            say(f"  fails even so: {name}")
    for name in found:
        say(f"  fails over gamin only: {name}")
    return not found


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.suites")
    names = [suite.name for suite in SUITES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--into", type=Path, metavar="DIR")
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as temporary:
        directory = args.into or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        for suite in SUITES:
            if suite.name in (args.names or names):
                place = Place(suite, directory.absolute())
                for _ in range(args.rounds):
                    with serving(f"suite-{uuid.uuid4()}"):
                        good &= run_suite(suite, place)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
