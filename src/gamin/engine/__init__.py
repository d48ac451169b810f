"""Carries the core's effects out, on ports: it opens nothing and reads no clock."""
