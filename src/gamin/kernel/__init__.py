"""System calls through ctypes: open, add, remove, decode. No decisions."""
