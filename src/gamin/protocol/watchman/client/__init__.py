"""The client side of the Watchman language."""
