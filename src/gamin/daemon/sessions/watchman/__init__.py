"""The server side of the Watchman language."""
