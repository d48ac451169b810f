"""Unit tests of `gamin.fleet`."""
