"""Watchman's language, and our extensions of it."""
