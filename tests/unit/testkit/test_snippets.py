"""The snippets of a page are found with what belongs to them."""

from testkit.snippets import commands, snippets

PAGE = """\
# A page

<!-- prepare: mkdir a -->
<!-- meanwhile: touch a/b; rm a/b -->
```python
print()
```

```text
b
```

- in a list:

  ```sh
  sudo true
  ```
"""


def test_a_program_has_its_output_and_its_notes() -> None:
    program, output, script = snippets("page.md", PAGE)
    assert (program.language, program.text, program.output) == (
        "python",
        "print()\n",
        "b\n",
    )
    assert program.prepare == "mkdir a"
    assert program.meanwhile.commands == ["touch a/b", "rm a/b"]
    assert str(program) == "page.md:5"
    assert output.language == "text"
    assert not script.prepare


def test_a_block_in_a_list_loses_its_indentation() -> None:
    assert snippets("page.md", PAGE)[-1].text == "sudo true\n"


def test_a_console_has_commands_with_their_output() -> None:
    found = commands("$ one\n$ two \\\n  three\n1\n2\n")
    assert [each.words for each in found] == ["one", "two    three"]
    assert [each.output for each in found] == ["", "1\n2\n"]
