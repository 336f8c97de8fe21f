"""A file that is not closed while something is read from it, and not read once it is closed.

FFmpeg's memory goes with the file: a thread that was decoding from it would end the process.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from types import TracebackType

from vidfit.errors import VideoError


class Hold:
    """Held while something is read: ``with hold:``; closing waits for it.

    Parameters
    ----------
    path
        The file, for who uses it later.
    close
        Closes it; may be called more than once.

    Raises
    ------
    VideoError
        On entering, if it is closed.
    """

    def __init__(self, path: str, close: Callable[[], None]) -> None:
        self._path, self._close = path, close
        self._lock = Lock()
        self.is_closed = False

    def __enter__(self) -> None:
        self._lock.acquire()
        if self.is_closed:
            self._lock.release()
            raise VideoError(
                f"{self._path}: the reader is closed; read inside of its 'with' block, or open "
                "another one"
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()

    def end(self) -> None:
        """Close the file, once what is being read is there."""
        with self._lock:
            self.is_closed = True
            self._close()
