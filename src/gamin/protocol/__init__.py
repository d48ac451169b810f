"""Wire formats as plain objects: bytes in, messages out. Nothing here does I/O."""
