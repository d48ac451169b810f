"""Who gets which changes, and how far each client is."""
