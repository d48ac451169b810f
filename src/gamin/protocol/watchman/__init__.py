"""The Watchman language, and our extensions of it."""
