"""The watchers compared: one adapter each, and the small clients some need."""
