"""Other libraries' interfaces, kept so that their users need change nothing."""
