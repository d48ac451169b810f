"""Delivers rows to subscribers, and knows how far each client is."""
