"""The process: start, life cycle, configuration, status."""
