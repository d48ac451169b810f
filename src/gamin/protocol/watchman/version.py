"""The version of Watchman that the server claims to be."""

from typing import Final

VERSION: Final = "2026.11.23.00"
"""Watchman counts in dates, and its clients compare numbers to decide what to use. The
version of this package is another matter."""
