"""The pure core: requests and changes go in, effects come out."""
