"""The file-change service of one user."""
