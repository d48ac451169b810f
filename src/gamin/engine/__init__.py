"""The engine: carries out the core's effects through ports; it does no I/O itself."""
