"""What was detected, applied to the tree."""
