"""The only folder that knows Linux: system calls, sockets, /proc."""
