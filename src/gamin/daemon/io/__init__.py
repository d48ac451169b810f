"""The daemon's event loop, sockets and addresses."""
