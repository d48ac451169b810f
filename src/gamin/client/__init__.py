"""The clients for programs: they find or start the server, and move bytes."""
