"""Decides which changes are reported later, and as which difference."""
