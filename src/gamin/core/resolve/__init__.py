"""Resolves requested paths to the directories and entries that they lead to."""
