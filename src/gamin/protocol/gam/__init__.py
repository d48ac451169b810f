"""The wire protocol of libgamin and libfam: its packets, and a session for each end."""
