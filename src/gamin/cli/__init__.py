"""The program `gamin`: one module per command, and what the commands share."""
