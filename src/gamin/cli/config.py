"""`gamin config`: shows the rules in force, and what they mean for a path.

Asks no server: it reads the configuration files with the code that the server uses.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence

from gamin.config import loader
from gamin.config.client_limits import ClientLimits
from gamin.config.flow_settings import FlowSettings
from gamin.config.gaminrc import BUILT_IN, FlowRule, LimitRule, Method, Rule, StateRule
from gamin.config.loader import Configuration
from gamin.config.policy import Decision, Policy
from gamin.config.state_settings import StateSettings
from gamin.paths import printable

Answer = tuple[str, Decision]
"""A path, made absolute, and how it is watched."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show the rules in force and what they mean for each PATH."
    parser.epilog = (
        "examples:\n"
        "  gamin config                 show every rule and its source\n"
        "  gamin config ~/src /proc     show how these paths are watched, and why\n"
        "\n"
        "exit status: 0, 1 if a file has a line that is not followed, 64 wrong usage"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="a path, which need not exist"
    )


def run(args: argparse.Namespace) -> int:
    read = loader.read()
    policy = Policy(read.rules, loader.read_mounts())
    rules = in_force(read, policy)
    answers = [_answer(path, policy) for path in args.paths]
    show = as_json if args.json else as_text
    for line in show(rules, read, answers):
        print(line)
    return 1 if read.mistakes else 0


def in_force(read: Configuration, policy: Policy) -> list[Rule]:
    """Every rule that can have an effect, including the built-in ones."""
    written = {r.name: r for r in read.rules if isinstance(r, FlowRule)}
    built_in = FlowSettings()
    flow = [
        written.get(name) or FlowRule(name, value, BUILT_IN)
        for name, value in built_in._asdict().items()
    ]
    limited = {r.name: r for r in read.rules if isinstance(r, LimitRule)}
    limits = [
        limited.get(name) or LimitRule(name, value, BUILT_IN)
        for name, value in ClientLimits()._asdict().items()
    ]
    kept = {r.name: r for r in read.rules if isinstance(r, StateRule)}
    state = [
        kept.get(name) or StateRule(name, value, BUILT_IN)
        for name, value in StateSettings()._asdict().items()
    ]
    return [*policy.in_force(), *flow, *limits, *state]


def _answer(path: str, policy: Policy) -> Answer:
    absolute = os.path.abspath(path)
    real = os.path.realpath(absolute)
    return absolute, policy.decide(os.fsencode(absolute), os.fsencode(real))


def as_text(
    rules: Sequence[Rule], read: Configuration, answers: Sequence[Answer]
) -> Iterator[str]:
    """The rules in gaminrc syntax, then the mistakes, then a line per path."""
    width = min(40, max(len(str(rule)) for rule in rules))
    for rule in rules:
        yield f"{rule!s:<{width}}  # {rule.origin}"
    for mistake in read.mistakes:
        yield f"# not followed: {mistake}"
    for path, decision in answers:
        yield "\t".join((printable(path), _method(decision), decision.why))


def _method(decision: Decision) -> str:
    match decision:
        case Decision(interval=seconds, also_kernel=True):
            return f"kernel, and poll every {seconds:g} s"
        case Decision(method=Method.POLL, interval=seconds):
            return f"poll every {seconds:g} s"
        case _:
            return decision.method.value


def as_json(
    rules: Sequence[Rule], read: Configuration, answers: Sequence[Answer]
) -> Iterator[str]:
    for rule in rules:
        yield json.dumps({"rule": str(rule), "origin": str(rule.origin)})
    for mistake in read.mistakes:
        yield json.dumps({"mistake": mistake.what, "origin": str(mistake.origin)})
    for path, decision in answers:
        yield json.dumps(
            {
                "path": path,
                "method": decision.method.value,
                "interval": decision.interval,
                "also_kernel": decision.also_kernel,
                "why": decision.why,
            }
        )
