"""The frame of `gamin top`, as lines of styled text that fit a terminal."""

from collections.abc import Iterable, Iterator

from rich.text import Text

from gamin.cli.status import Client, Report, duration
from gamin.cli.top_model import Figures, Keys, Sample, gauge, shown_clients, sparkline
from gamin.paths import printable

LABEL = 11
"""Columns of the names of the figures."""

MAX_PATHS = 8
"""Busiest paths that are shown; a low terminal shows fewer."""

POLLED_FOR = {
    "no_room": "without room",
    "many_entries": "many entries come and go",
    "many_writes": "always written",
}
"""How the reasons of polling are shown."""

FULL = 0.9
"""The share of a limit from which on it is shown as a problem."""


def frame(figures: Figures, keys: Keys, width: int, height: int) -> Text:
    """The whole frame: at most `height` lines of at most `width` columns."""
    sample = figures.sample
    if sample is None:
        lines = [Text("waiting for a server …", style="dim")]
    else:
        lines = _figures(figures, sample, width)
        room = height - len(lines) - 1
        lines += _body(figures, sample.report, keys, room, width)
    lines = lines[: height - 1]
    lines += [Text()] * (height - 1 - len(lines)) + [_help(keys)]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines)


def _figures(figures: Figures, sample: Sample, width: int) -> list[Text]:
    report = sample.report
    session = printable(report.session) or "(default)"
    head = Text(f"gamin {printable(report.version)}", style="bold")
    head.append(
        f"  process {report.pid}  session {session}  up {duration(report.uptime)}  "
        f"CPU {figures.cpu_percent:.1f} %  {sample.memory / 1e6:.0f} MB",
        style="not bold",
    )
    lines = [head, Text(), _rate("activity", figures.activity, "ticks/s", width)]
    if any(figures.events):
        lines.append(_rate("changes", figures.events, "paths/s", width))
    lines += [_watches(report), *_quotas(report, width), *_stalled(report)]
    lost = report.recoveries
    text = "none"
    if lost.overflows or lost.rescans:
        text = f"{lost.overflows:,} overflows, {lost.rescans:,} rescans"
    return [*lines, _line("losses", text, "yellow" if lost.overflows else "")]


def _line(name: str, text: str, style: str = "") -> Text:
    return Text.assemble((f"{name:<{LABEL}}", "dim"), (text, style))


def _rate(name: str, values: Iterable[float], unit: str, width: int) -> Text:
    known = list(values)
    last = f"{known[-1]:>6,.0f} {unit:<8}" if known else f"{'':6} {unit:<8}"
    bars = sparkline(known, width - LABEL - len(last) - 1)
    return Text.assemble((f"{name:<{LABEL}}", "dim"), last, " ", (bars, "cyan"))


def _watches(report: Report) -> Text:
    """How directories are watched, without what does not occur."""
    watches = report.watches
    line = Text.assemble((f"{'watches':<{LABEL}}", "dim"), f"{watches.kernel:,} kernel")
    why = ", ".join(
        f"{number:,} {POLLED_FOR.get(reason, printable(reason))}"
        for reason, number in report.polled_for.items()
        if number
    )
    for number, name, style in (
        (watches.polled, f"polled ({why})" if why else "polled", "yellow" * bool(why)),
        (watches.busy, "busy", "yellow"),
        (watches.missing, "missing", ""),
        (watches.unreadable, "unreadable", "yellow"),
        (watches.unlisted, "not listed yet", "red"),
    ):
        if number:
            line.append(f"  {number:,} {name}", style=style)
    return line


def _stalled(report: Report) -> Iterator[Text]:
    for mount in report.stalled:
        text = f"{printable(mount.mount)} for {duration(mount.seconds)}"
        yield _line("no answer", f"{text}: {printable(mount.reason)}", "red")


def _quotas(report: Report, width: int) -> list[Text]:
    lines = []
    for name, held in report.facilities.items():
        text = f" {held.used_by_us:,} of {held.most_used_by_us:,}"
        bar = gauge(held.used_by_us, held.most_used_by_us, min(30, width // 3))
        is_full = held.used_by_us >= FULL * held.most_used_by_us
        lines.append(_line(printable(name)[: LABEL - 1], bar, "red" if is_full else ""))
        lines[-1].append(text)
    return lines


def _body(
    figures: Figures, report: Report, keys: Keys, room: int, width: int
) -> list[Text]:
    clients = shown_clients(report.clients, keys.sorting, keys.pattern)
    paths = _paths(figures, report, max(0, room // 2 - 3), width)
    heads = _client_row("PID", "LANGUAGE", "SUBSCR.", "BACKLOG", "PROGRAM")
    lines = [Text(), _title(heads, width)]
    kept = max(1, room - len(lines) - len(paths))
    lines += [_client(client) for client in clients[:kept]]
    if len(clients) > kept:
        lines[-1] = Text(f"  … and {len(clients) - kept + 1} others", style="dim")
    if keys.pattern and not clients:
        lines.append(Text("  no client's program has this in its name", style="dim"))
    return lines + paths


def _paths(figures: Figures, report: Report, room: int, width: int) -> list[Text]:
    """The busiest paths: of those that are watched, or those that the server defers."""
    most = min(MAX_PATHS, room)
    heads = f"{'CHANGES':>10}  BUSIEST PATH OF THE LAST MINUTE"
    lines = [_path(f"{count:,}", path, width) for path, count in figures.busiest(most)]
    if not lines:
        heads = f"{'':>10}  BUSY PATH, REPORTED ONCE A SECOND"
        lines = [
            _path("polled" if busy.polled else "", busy.path, width)
            for busy in report.busy_paths[:most]
        ]
    return [Text(), _title(Text(heads), width), *lines] if lines else []


def _title(heads: Text, width: int) -> Text:
    heads.pad_right(max(0, width - heads.cell_len))
    heads.stylize("reverse")
    return heads


def _client(client: Client) -> Text:
    line = _client_row(
        str(client.pid),
        printable(client.language),
        f"{client.subscriptions:,}",
        f"{client.backlog:,}",
        printable(client.program),
    )
    if client.backlog:
        line.stylize("yellow")
    return line


def _client_row(
    pid: str, language: str, subscriptions: str, backlog: str, program: str
) -> Text:
    return Text(f"{pid:>10}  {language:<9} {subscriptions:>8} {backlog:>8}  {program}")


def _path(figure: str, path: str, width: int) -> Text:
    shown = printable(path)
    room = width - 12
    if len(shown) > room:
        shown = "…" + shown[len(shown) - room + 1 :]  # paths differ at their end
    return Text(f"{figure:>10}  {shown}")


def _help(keys: Keys) -> Text:
    if keys.is_typing:
        return Text.assemble(
            ("filter: ", "bold"), keys.pattern, ("▏", "blink"), ("  Enter, Esc", "dim")
        )
    pause = "go on (paused)" if keys.is_paused else "pause"
    pattern = f" {printable(keys.pattern)}" if keys.pattern else ""
    return Text(
        f"q quit  p {pause}  s sort: {keys.sorting}  / filter{pattern}",
        style="bold" if keys.is_paused else "dim",
    )
