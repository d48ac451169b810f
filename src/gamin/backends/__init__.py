"""The sources of changes: inotify, fanotify and polling behind one interface."""
