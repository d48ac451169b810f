"""GLOSSARY.md lists the terms of the code; retired words do not come back."""

import re
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conventions import retired
from tests.conventions.source import (
    READS_ALL_MODULES,
    ROOT,
    all_modules,
    modules,
)

pytestmark = READS_ALL_MODULES

GLOSSARY = (ROOT / "GLOSSARY.md").read_text()
TERMS = re.findall(r"^\* \*\*(.+?)\*\* — \S", GLOSSARY, re.MULTILINE)
MAX_TERMS = 40

WORDS = [
    (re.compile(rf"\b(?:{word})\b", re.IGNORECASE), term)
    for word, term in retired.WORDS.items()
]

ANY_WORD = re.compile(rf"\b(?:{'|'.join(retired.WORDS)})\b", re.IGNORECASE)
"""Whether a text has one of the words: most have none, and need no closer look."""

PAGES = [
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("*/**/*.md"))
    if not page.relative_to(ROOT).parts[0].startswith(".")
]

OWN = ("tests/conventions/retired.py", "tests/conventions/test_glossary.py")
"""The modules that list the words."""


@cache
def retired_names_in(module: Path) -> frozenset[str]:
    """The retired identifiers of a module; not the words of its texts."""
    if retired.NAMES.isdisjoint(re.findall(r"\w+", module.read_text())):
        return frozenset()
    with module.open("rb") as file:
        tokens = list(tokenize.tokenize(file.readline))
    return retired.NAMES & {t.string for t in tokens if t.type == tokenize.NAME}


@cache
def prose_of(module: Path) -> tuple[tuple[int, str], ...]:
    """Comments and docstrings, each with its line."""
    texts = []
    previous = tokenize.NEWLINE
    with module.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            starts_statement = previous in (
                *(tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
                *(tokenize.NL, tokenize.ENCODING),
            )
            if token.type == tokenize.COMMENT or (
                token.type == tokenize.STRING and starts_statement
            ):
                texts.append((token.start[0], token.string))
            if token.type not in (tokenize.COMMENT, tokenize.NL):
                previous = token.type
    return tuple(texts)


def test_the_glossary_has_at_most_forty_terms_of_one_line_each() -> None:
    entries = [line for line in GLOSSARY.splitlines() if line.startswith("* ")]
    assert 0 < len(entries) == len(TERMS) <= MAX_TERMS
    assert sorted(TERMS, key=str.lower) == TERMS


def test_every_term_of_the_glossary_occurs_in_the_source() -> None:
    spelled = {
        term: re.compile(r"[ _-]?".join(re.split(r"[ -]", term)), re.IGNORECASE)
        for term in TERMS
    }
    for module in modules():
        text = module.read_text()
        spelled = {t: word for t, word in spelled.items() if not word.search(text)}
    assert not spelled


def test_no_retired_name_is_an_identifier() -> None:
    found = {
        f"{module.relative_to(ROOT)}: {name}"
        for module in modules()
        for name in retired_names_in(module)
    }
    assert not found


def retired_words(texts: Iterable[tuple[int, str]]) -> Iterator[str]:
    for line, text in texts:
        for word, term in WORDS:
            for match in word.finditer(text):
                number = line + text.count("\n", 0, match.start())
                yield f"{number}: {match[0]!r}; write: {term}"


TREES = ("src", "testkit", "tests", "soak", "fuzz", "bench", "examples")


@pytest.mark.parametrize("tree", TREES)
def test_no_retired_word_is_in_the_prose_of_the_code(tree: str) -> None:
    found = [
        f"{path}:{word}"
        for module in all_modules()
        if (path := module.relative_to(ROOT).as_posix()).startswith(f"{tree}/")
        and path not in OWN
        and ANY_WORD.search(module.read_text())
        for word in retired_words(prose_of(module))
    ]
    assert not found, "\n".join(found)


def test_no_retired_word_is_in_the_documents() -> None:
    found = [
        f"{page.relative_to(ROOT)}:{word}"
        for page in PAGES
        for word in retired_words([(1, page.read_text())])
    ]
    assert not found, "\n".join(found)
