"""Patterns of names and paths: RE2, globs, gitignore. Pure."""
