"""One file per command, and how output looks."""
