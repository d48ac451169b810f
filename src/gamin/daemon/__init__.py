"""The daemon: sockets, signals and life cycle; it lends the engine the real world."""
