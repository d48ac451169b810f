"""The language of libgamin and libfam: packets, and both ends' sessions."""
