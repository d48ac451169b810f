"""What /proc says of a client."""

from gamin.paths import printable


def program_of(pid: int) -> str:
    """The name of its program (man 5 proc, /proc/pid/comm); "?" where unknown."""
    try:
        with open(f"/proc/{pid}/comm", "rb") as file:
            return printable(file.read().rstrip(b"\n"))
    except OSError:
        return "?"
