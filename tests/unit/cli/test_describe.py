"""What completions and the manual page know of the commands."""

from gamin.cli.describe import Command, Option, Value, commands
from gamin.cli.main import COMMANDS


def command(name: str) -> Command:
    (found,) = [each for each in commands() if each.name == name]
    return found


def option(command: Command, flag: str) -> Option:
    (found,) = [each for each in command.options if flag in each.flags]
    return found


def test_every_command_is_described_in_the_order_of_the_help() -> None:
    found = commands()
    assert [each.name for each in found] == list(COMMANDS)
    assert all(each.purpose and each.usage and each.description for each in found)


def test_a_flag_has_no_value_and_all_its_spellings() -> None:
    recursive = option(command("watch"), "-r")
    assert recursive.flags == ("-r", "--recursive")
    assert (recursive.value, recursive.metavar) == (Value.NONE, "")
    assert not recursive.is_repeatable


def test_a_file_and_a_repeatable_value_are_known_as_such() -> None:
    watch = command("watch")
    assert option(watch, "--ignore-from").value is Value.FILE
    ignore = option(watch, "--ignore")
    assert (ignore.value, ignore.metavar) == (Value.ANY, "GLOB")
    assert ignore.is_repeatable


def test_a_choice_lists_what_can_be_chosen() -> None:
    encoding = option(command("watchman"), "--output-encoding")
    assert encoding.value is Value.CHOICE
    assert "json" in encoding.choices
    shell = command("completions")
    assert shell.arguments_are is Value.CHOICE
    assert shell.choices == ("bash", "zsh", "fish")


def test_arguments_are_files_or_nothing() -> None:
    assert command("watch").arguments_are is Value.FILE
    assert command("man").arguments_are is Value.NONE


def test_a_command_that_runs_another_one_is_known_as_such() -> None:
    assert command("run").takes_command
    assert not command("watch").takes_command


def test_a_percent_sign_in_a_help_text_is_one_sign() -> None:
    texts = [option.help for each in commands() for option in each.options]
    assert not [text for text in texts if "%%" in text]
