"""Which directories are watched, and by which means."""
