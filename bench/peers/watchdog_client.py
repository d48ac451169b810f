"""Watches with a watchdog observer and prints what its handler receives."""

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from bench.peers.reporting import CHANGED, CREATED, DELETED, MOVED, Reporter


class Handler(FileSystemEventHandler):
    def __init__(self, reporter: Reporter) -> None:
        self._report = reporter.report

    def on_created(self, event: FileSystemEvent) -> None:
        self._report(CREATED, str(event.src_path))

    def on_deleted(self, event: FileSystemEvent) -> None:
        self._report(DELETED, str(event.src_path))

    def on_modified(self, event: FileSystemEvent) -> None:
        self._report(CHANGED, str(event.src_path))

    def on_moved(self, event: FileSystemEvent) -> None:
        self._report(MOVED, str(event.src_path), str(event.dest_path))


def main() -> None:
    reporter = Reporter()
    observer = Observer()
    observer.schedule(Handler(reporter), reporter.root, recursive=not reporter.flat)
    observer.start()  # watches when it returns: on_thread_start runs in the caller
    reporter.ready()
    observer.join()


if __name__ == "__main__":
    main()
