"""The file-change service of one user."""

__version__ = "0.2.0"
