"""The server's process: its start, life cycle, configuration and status."""
