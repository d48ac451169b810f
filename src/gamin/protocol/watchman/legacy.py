"""Translates the pattern lists of `find` and `since` into expressions.

They are older than expressions, which `query.expression` reads.
"""

from collections.abc import Sequence

from gamin.protocol.watchman.errors import BadQuery

FIELDS = (
    *("name", "exists", "size", "mode", "uid", "gid", "mtime", "ctime", "ino", "dev"),
    *("nlink", "new", "cclock", "oclock"),
)


def expression(rules: Sequence[object], position: int) -> list[object] | None:
    """Return the expression for a list of patterns; None for an empty one.

    -X and -I begin the patterns to exclude and to include, "!" negates the next one,
    -p and -P make it a regular expression, "--" ends the list. `position` is where the
    list begins in the request, for error texts.
    """
    wanted: list[object] = []
    unwanted: list[object] = []
    into = wanted
    term = "match"
    negated = False
    for number, rule in enumerate(rules, position):
        match rule:
            case "--":
                break
            case "-X":
                into = unwanted
            case "-I":
                into = wanted
            case "!":
                negated = True
            case "-p":
                term = "pcre"
            case "-P":
                term = "ipcre"
            case str(pattern):
                question = [term, pattern, "wholename"]
                into.append(["not", question] if negated else question)
                term, negated = "match", False
            case _:
                raise BadQuery(f"rule @ position {number} is not a string value")
    terms: list[list[object]] = [["not", ["anyof", *unwanted]]] if unwanted else []
    if wanted:
        terms.append(["anyof", *wanted])
    if len(terms) > 1:
        return ["allof", *terms]
    return terms[0] if terms else None
