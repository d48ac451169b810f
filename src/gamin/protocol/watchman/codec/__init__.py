"""How messages of the Watchman language are written and read."""
