"""The texts of the systemd units."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gamin.cli.service_units import NoUnitName, publisher_unit, quoted, units

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


def test_systemd_finds_nothing_to_remark(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    command = [shutil.which("true") or "/bin/true"]
    files = (
        units("", command).files | publisher_unit("/a b/100%/trees.toml", command).files
    )
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", *files],
        cwd=tmp_path,
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
