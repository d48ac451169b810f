"""Other libraries' interfaces, kept so that their users need change nothing."""

from gamin.compat.install import install, status

__all__ = ["install", "status"]
