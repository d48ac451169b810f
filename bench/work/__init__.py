"""The works that the watchers are measured with: one file each."""
