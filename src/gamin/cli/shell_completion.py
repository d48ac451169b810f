"""Completion scripts for bash, zsh and fish, made of the commands' parsers."""

import re
from collections.abc import Iterable, Iterator

from gamin.cli.describe import Command, Option, Value

TOP_OPTIONS = ("--help", "--version")


def bash(commands: list[Command]) -> Iterator[str]:
    names = _bash_words([*(command.name for command in commands), *TOP_OPTIONS])
    yield f"""\
# bash completion for gamin
_gamin() {{
    local IFS=$'\\n' cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
    local command=${{COMP_WORDS[1]}} options='' arguments=none values='' value=none word
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W {names} -- "$cur"))
        return
    fi
    case $command in
"""
    for command in commands:
        flags = [flag for option in command.options for flag in option.flags]
        yield f"    {command.name})\n"
        yield f"        options={_bash_words(flags)}\n"
        yield f"        arguments={command.arguments_are.value}\n"
        if command.choices:
            yield f"        values={_bash_words(command.choices)}\n"
        if command.takes_command:
            yield _BASH_COMMAND
        yield "        case $prev in\n"
        for option in command.options:
            if option.value is Value.NONE:
                continue
            yield f"        {'|'.join(option.flags)}) value={option.value.value}"
            if option.choices:
                yield f" values={_bash_words(option.choices)}"
            yield " ;;\n"
        yield "        esac\n        ;;\n"
    yield """\
    *) return ;;
    esac
    if [[ $value == none ]]; then
        if [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W "$options" -- "$cur"))
            return
        fi
        value=$arguments
    fi
    case $value in
    file)
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -f -- "$cur"))
        ;;
    choice) COMPREPLY=($(compgen -W "$values" -- "$cur")) ;;
    esac
}
complete -F _gamin gamin
"""


_BASH_COMMAND = """\
        for ((word = 2; word < COMP_CWORD; word++)); do
            [[ ${COMP_WORDS[word]} == -- ]] || continue
            if ((word == COMP_CWORD - 1)); then
                COMPREPLY=($(compgen -c -- "$cur"))
            else
                compopt -o filenames 2>/dev/null
                COMPREPLY=($(compgen -f -- "$cur"))
            fi
            return
        done
"""


def _bash_words(words: Iterable[str]) -> str:
    return "$'" + "\\n".join(words) + "'"


def zsh(commands: list[Command]) -> Iterator[str]:
    yield "#compdef gamin\n\n_gamin() {\n    local -a known\n    known=(\n"
    for command in commands:
        yield f"        {_quoted(f'{command.name}:{command.purpose}')}\n"
    yield """\
    )
    if (( CURRENT == 2 )); then
        if [[ $PREFIX == -* ]]; then
            compadd -- --help --version
        else
            _describe -t commands 'command' known
        fi
        return
    fi
    local command=${words[2]}
    shift words
    (( CURRENT-- ))
    case $command in
"""
    for command in commands:
        yield f"    {command.name})\n"
        if command.takes_command:
            yield """\
        local -i border=${words[(i)--]}
        if (( border < CURRENT )); then
            shift border words
            (( CURRENT -= border ))
            _normal
            return
        fi
"""
        specs = [_zsh_option(option) for option in command.options]
        if command.arguments_are is Value.FILE:
            specs.append("'*:path:_files'")
        elif command.arguments_are is Value.CHOICE:
            specs.append(_quoted(f"1:value:({' '.join(command.choices)})"))
        elif command.arguments_are is Value.ANY:
            specs.append("'*:value: '")
        yield "        _arguments -s \\\n            "
        yield " \\\n            ".join(specs)
        yield "\n        ;;\n"
    yield "    esac\n}\n\n"
    # Autoloaded, the file is the body of the function; sourced, it defines it.
    yield 'if [[ $funcstack[1] == _gamin ]]; then\n    _gamin "$@"\n'
    yield "else\n    compdef _gamin gamin\nfi\n"


def _zsh_option(option: Option) -> str:
    help_text = re.sub(r"([\[\]:\\])", r"\\\1", option.help)
    value = ""
    if option.value is Value.CHOICE:
        value = f":{option.metavar}:({' '.join(option.choices)})"
    elif option.value is Value.FILE:
        value = f":{option.metavar}:_files"
    elif option.value is Value.ANY:
        value = f":{option.metavar}: "
    text = _quoted(f"[{help_text}]{value}")
    again = "'*'" if option.is_repeatable else ""
    if len(option.flags) == 1:
        return f"{again}{option.flags[0]}{text}"
    again = again or f"'({' '.join(option.flags)})'"
    return f"{again}{{{','.join(option.flags)}}}{text}"


def fish(commands: list[Command]) -> Iterator[str]:
    names = " ".join(command.name for command in commands)
    none_yet = f"not __fish_seen_subcommand_from {names}"
    yield "# fish completion for gamin\ncomplete -c gamin -f\n"
    yield f"complete -c gamin -n '{none_yet}' -l help -s h -d 'show the help'\n"
    yield f"complete -c gamin -n '{none_yet}' -l version -d 'show the version'\n"
    for command in commands:
        purpose = _quoted(command.purpose)
        yield f"complete -c gamin -n '{none_yet}' -a {command.name} -d {purpose}\n"
    for command in commands:
        # The first word alone: a later one can be a path with the name of a command.
        start = f"complete -c gamin -n '__fish_seen_subcommand_from {command.name}'"
        if command.arguments_are is Value.FILE:
            yield f"{start} -F\n"
        elif command.choices:
            yield f"{start} -a {_quoted(' '.join(command.choices))}\n"
        for option in command.options:
            yield f"{start}{_fish_option(option)}\n"


def _fish_option(option: Option) -> str:
    flags = ""
    for flag in option.flags:
        flags += f" -l {flag[2:]}" if flag.startswith("--") else f" -s {flag[1:]}"
    value = {
        Value.NONE: "",
        Value.ANY: " -x",
        Value.FILE: " -r -F",
        Value.CHOICE: f" -x -a {_quoted(' '.join(option.choices))}",
    }[option.value]
    return f"{flags}{value} -d {_fish_quoted(option.help)}"


def _quoted(text: str) -> str:
    """A word of sh, zsh and, without quotes in it, fish."""
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}
