"""What a requested path leads to."""
