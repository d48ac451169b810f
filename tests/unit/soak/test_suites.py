"""What the runs of a library's own tests are compared by."""

from pathlib import Path

from soak.suites.__main__ import Outcome, outcome_of, unexpected
from soak.suites.known import SUITES

REPORT = """<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_one"/>
<testcase classname="tests.test_a" name="test_two"><failure/></testcase>
<testcase classname="tests.test_a" name="test_three"><skipped/></testcase>
<testcase classname="tests.test_a" name="test_four"><error/></testcase>
</testsuite></testsuites>"""


def outcome(*failed: str) -> Outcome:
    return Outcome(frozenset(), frozenset(failed), frozenset())


def test_a_report_has_what_passed_failed_and_was_skipped(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT)
    assert outcome_of(tmp_path / "report.xml") == Outcome(
        frozenset({"tests.test_a::test_one"}),
        frozenset({"tests.test_a::test_two", "tests.test_a::test_four"}),
        frozenset({"tests.test_a::test_three"}),
    )


def test_a_failure_counts_unless_it_is_known_or_the_library_s_own() -> None:
    suite = SUITES[0]._replace(known={"test_known": "a reason"})
    ours = outcome("a::test_known[1]", "a::test_own", "a::test_new[2]")
    assert unexpected(suite, outcome("a::test_own"), ours) == ["a::test_new[2]"]
