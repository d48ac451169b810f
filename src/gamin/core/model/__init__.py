"""The model: what is known of the disk, since when, and who subscribes to it."""
