"""Decides which directories are watched, and by which backend."""
