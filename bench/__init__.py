"""The benchmark: watchers under load, each beside a raw C inotify reader."""
