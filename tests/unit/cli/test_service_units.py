"""The texts of the systemd units."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gamin.cli.service_units import NoUnitName, publisher_unit, quoted, units
from testkit.required import SYSTEMD, missing

MAX_EXPOSURE = 68
"""Tenths; what systemd-analyze rates the services at, and a little more."""

COMMAND = ["/usr/bin/python3", "-I", "/opt/my $HOME/100%/start.py"]


def test_the_socket_is_where_clients_look_and_the_command_is_quoted() -> None:
    made = units("", COMMAND)
    assert "\nListenStream=%t/gamin/modern-.sock\n" in made.files["gamin.socket"]
    assert (
        '\nExecStart=/usr/bin/python3 -I "/opt/my $$HOME/100%%/start.py"\n'
        in made.files["gamin.service"]
    )
    assert list(made.files) == ["gamin.socket", "gamin.service"]


def test_a_session_has_units_of_its_own() -> None:
    made = units("build-7", COMMAND)
    assert list(made.files) == ["gamin-build-7.socket", "gamin-build-7.service"]
    socket, service = made.files.values()
    assert "\nEnvironment=GAM_CLIENT_ID=build-7\n" in service
    assert "modern-build-7.sock" in socket
    assert "Requires=gamin-build-7.socket" in service


@pytest.mark.parametrize("session", ["a b", "x\nExecStart=/bin/false", "50%", "ü"])
def test_a_session_that_could_change_the_text_is_refused(session: str) -> None:
    with pytest.raises(NoUnitName, match="only letters"):
        units(session, COMMAND)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("/usr/bin/python3", "/usr/bin/python3"),
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("two\nlines", '"two\\nlines"'),
        ("", '""'),
    ],
)
def test_a_word_is_one_word_to_systemd(word: str, text: str) -> None:
    assert quoted(word) == text


def test_a_publisher_is_named_after_its_settings_file() -> None:
    made = publisher_unit("/etc/gamin/web.toml", ["/bin/true"])
    assert list(made.files) == ["gamin-publish-web.service"]
    assert made.purpose in made.files["gamin-publish-web.service"].splitlines()
    with pytest.raises(NoUnitName, match="only letters"):
        publisher_unit("/etc/my trees.toml", ["/bin/true"])


@pytest.fixture
def written(tmp_path: Path) -> list[str]:
    """The names of all units, written to this directory."""
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze", SYSTEMD)
    command = [shutil.which("true") or "/bin/true"]
    files = (
        units("", command).files | publisher_unit("/a b/100%/trees.toml", command).files
    )
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return list(files)


def analyze(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words],
        cwd=directory,
        env=os.environ | {"XDG_RUNTIME_DIR": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_finds_nothing_to_remark(written: list[str], tmp_path: Path) -> None:
    done = analyze(tmp_path, "verify", "--user", "--man=no", *written)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_finds_the_services_no_more_exposed_than_they_must_be(
    written: list[str], tmp_path: Path
) -> None:
    """Most of what is missing needs a mount namespace, or is of a service of root. A
    unit without any restriction has 9.6."""
    for name in written:
        if name.endswith(".service"):
            path = str(tmp_path / name)
            options = ("--offline=true", f"--threshold={MAX_EXPOSURE}", "--no-pager")
            done = analyze(tmp_path, "security", *options, path)
            assert done.returncode == 0, done.stdout + done.stderr
