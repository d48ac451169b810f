"""`gamin report`: makes an HTML page of what `gamin record` wrote."""

import argparse
import os
import sys

STDOUT = "-"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Show a recording of `gamin record` as one HTML page: which directories\n"
        "changed when and how fast, and the busiest paths. The page loads nothing\n"
        "from elsewhere."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin report build.jsonl.gz                writes build.html\n"
        "  gamin report build.jsonl -o - > page.html\n"
        "\n"
        "exit status: 0, 1 failed, 64 wrong usage"
    )
    parser.add_argument("file", metavar="FILE", help="what `gamin record` wrote")
    parser.add_argument(
        "-o",
        "--output",
        metavar="PAGE",
        help="the file to write, - for standard output (default: FILE with .html)",
    )
    parser.add_argument("--title", help="the title of the page (default: FILE)")


def run(args: argparse.Namespace) -> int:
    from gamin.cli import recording
    from gamin.cli.report_page import page
    from gamin.paths import printable

    read = recording.read(args.file)
    title = args.title or os.path.basename(args.file)
    text = "".join(page(read, title)).encode()
    target = args.output or page_name(args.file)
    if target == STDOUT:
        sys.stdout.buffer.write(text)
        return 0
    try:
        with open(target, "wb") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise recording.Unusable(target, reason) from error
    print(printable(target))
    return 0


def page_name(recording: str) -> str:
    """The page of a recording: its name with .html for the known suffixes."""
    for suffix in (".gz", ".zst", ".jsonl", ".json"):
        recording = recording.removesuffix(suffix)
    return f"{recording}.html"
