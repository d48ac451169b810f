"""The shell: sockets, signals, life cycle; carries the core's effects out."""
