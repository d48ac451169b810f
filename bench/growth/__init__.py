"""Cost against size: what grows with what is watched, and what must not."""
