"""The heart: requests and changes in, effects out. Opens nothing, waits for nothing."""
