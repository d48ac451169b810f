"""The client's end of the Watchman language."""
