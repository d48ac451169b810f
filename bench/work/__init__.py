"""What the watchers are put through: one file per work."""
