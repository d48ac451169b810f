"""Queries: expressions, fields, generators."""
