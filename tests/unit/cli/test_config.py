import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gamin.cli import config
from gamin.config.gaminrc import Mistake, parse
from gamin.config.loader import Configuration, read
from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy

MOUNTS = Mounts([Mount(b"/", "ext4"), Mount(b"/net", "nfs")])


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    (tmp_path / "gaminrc").write_text("poll /a\nflow calm_seconds 9\nwhat\x1b\n")
    return read(str(tmp_path), str(tmp_path))


@pytest.fixture
def policy(configuration: Configuration) -> Policy:
    return Policy(configuration.rules, MOUNTS)


def test_every_rule_is_shown_with_its_source(
    configuration: Configuration, policy: Policy, tmp_path: Path
) -> None:
    rules = config.in_force(configuration, policy)
    shown = [line.split() for line in config.as_text(rules, configuration, [])]
    source = f"{tmp_path}/gaminrc"
    assert ["poll", "/a", "#", f"{source}:1"] in shown
    assert ["flow", "calm_seconds", "9", "#", f"{source}:2"] in shown
    assert ["flow", "report_interval", "1", "#", "built", "in"] in shown
    assert ["limit", "subscriptions", "4096", "#", "built", "in"] in shown
    assert ["fsset", "nfs", "poll", "5", "#", "built", "in"] in shown


def test_mistakes_are_shown_where_they_are(
    configuration: Configuration, policy: Policy, tmp_path: Path
) -> None:
    rules = config.in_force(configuration, policy)
    shown = list(config.as_text(rules, configuration, []))
    assert shown[-1] == (
        rf"# not followed: {tmp_path}/gaminrc:3: not understood: what\x1b"
    )


def test_the_output_is_a_valid_gaminrc(
    configuration: Configuration, policy: Policy
) -> None:
    rules = config.in_force(configuration, policy)
    text = "\n".join(config.as_text(rules, configuration, []))
    again = list(parse(text.encode(), b"/"))
    assert not any(isinstance(item, Mistake) for item in again)
    assert list(map(str, again)) == list(map(str, rules))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/x\n", "/x\\n\tkernel\tthe file system is ext4"),
        ("/proc/1", "/proc/1\tpoll every 1 s\tpoll /proc/* (built in)"),
        (
            "/net/x",
            "/net/x\tkernel, and poll every 5 s\t"
            "the file system is nfs, where the kernel tells only local changes",
        ),
    ],
)
def test_a_path_has_a_line_with_method_and_reason(
    configuration: Configuration, policy: Policy, path: str, line: str
) -> None:
    rules = config.in_force(configuration, policy)
    answers = [(path, policy.decide(os.fsencode(path)))]
    *_, last = config.as_text(rules, configuration, answers)
    assert last == line


def test_json_output_has_one_object_per_line(
    configuration: Configuration, policy: Policy, tmp_path: Path
) -> None:
    rules = config.in_force(configuration, policy)
    answers = [("/net/\udcff", policy.decide(b"/net/\xff"))]
    lines = [json.loads(x) for x in config.as_json(rules, configuration, answers)]
    assert lines[0] == {"rule": "poll /a", "origin": f"{tmp_path}/gaminrc:1"}
    assert lines[-2]["mistake"] == r"not understood: what\x1b"
    assert lines[-1] == {
        "path": "/net/\udcff",
        "method": "poll",
        "interval": 5.0,
        "also_kernel": True,
        "why": "the file system is nfs, where the kernel tells only local changes",
    }


def test_the_command_takes_any_path_and_json() -> None:
    parser = argparse.ArgumentParser()
    config.configure(parser)
    args = parser.parse_args(["--json", "a", "/b"])
    assert (args.json, args.paths) == (True, ["a", "/b"])


@pytest.mark.parametrize(("text", "status"), [("poll /a", 0), ("pol /a", 1)])
def test_the_command_reads_the_files_and_fails_for_a_mistake(
    tmp_path: Path, text: str, status: int
) -> None:
    (tmp_path / ".gaminrc").write_text(text)
    program = (
        "import argparse, sys; from gamin.cli import config;"
        "parser = argparse.ArgumentParser(); config.configure(parser);"
        "sys.exit(config.run(parser.parse_args(sys.argv[1:])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "nowhere"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout.splitlines()[-1].startswith(f"{tmp_path}/nowhere\t")
