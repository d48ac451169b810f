"""How findings of `gamin doctor` are shown."""

from gamin.cli.finding import Level, as_text, note, ok, problem


def test_each_maker_has_its_level() -> None:
    made = [ok("a", "b"), note("a", "b"), problem("a", "b", "c", "d")]
    assert [each.level for each in made] == [Level.OK, Level.NOTE, Level.PROBLEM]


def test_a_finding_is_a_line_and_one_for_each_thing_it_explains() -> None:
    assert list(as_text(problem("watches", "none is left", "it is late", "do x"))) == [
        "problem  watches: none is left",
        "         why:    it is late",
        "         remedy: do x",
    ]
    assert list(as_text(ok("watches", "plenty"))) == ["ok       watches: plenty"]


def test_names_in_a_finding_cannot_act_on_the_terminal() -> None:
    lines = list(as_text(note("a\x1b[2J", "b\nc", "d\x07", "e\u202e")))
    assert len(lines) == 3
    assert not set("\x1b\n\x07\u202e") & set("".join(lines))
