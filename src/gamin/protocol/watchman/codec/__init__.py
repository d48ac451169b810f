"""The encodings of the Watchman language: JSON lines, BSER and our compact rows."""
