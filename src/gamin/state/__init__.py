"""The saved state of watched trees, which outlives the server."""
