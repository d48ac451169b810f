"""Carries the core's effects out."""
