"""Watches with a watchdog observer and tells what its handler is told."""

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from bench.peers.telling import CHANGED, CREATED, DELETED, MOVED, Teller


class Handler(FileSystemEventHandler):
    def __init__(self, teller: Teller) -> None:
        self._tell = teller.tell

    def on_created(self, event: FileSystemEvent) -> None:
        self._tell(CREATED, str(event.src_path))

    def on_deleted(self, event: FileSystemEvent) -> None:
        self._tell(DELETED, str(event.src_path))

    def on_modified(self, event: FileSystemEvent) -> None:
        self._tell(CHANGED, str(event.src_path))

    def on_moved(self, event: FileSystemEvent) -> None:
        self._tell(MOVED, str(event.src_path), str(event.dest_path))


def main() -> None:
    teller = Teller()
    observer = Observer()
    observer.schedule(Handler(teller), teller.root, recursive=not teller.flat)
    observer.start()  # watches when it returns: on_thread_start runs in the caller
    teller.ready()
    observer.join()


if __name__ == "__main__":
    main()
