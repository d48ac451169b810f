"""The loop, sockets and addresses."""
