"""The modern language: Watchman's, as JSON lines, with extensions of our own.

Pure: bytes, values and rows come in, bytes and values go out. Sockets, the disk and
what is being watched are the business of `gamin.daemon` and `gamin.core`.
"""
