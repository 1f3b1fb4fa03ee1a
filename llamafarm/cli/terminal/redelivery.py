"""Signals that come while the interpreter is on its way into reading a line.

Python runs a handler between two steps of its own. One that comes after the last step and before the system waits for
input wakes nobody: the handler would run with the next key. A thread hears of each signal at once, and sends it again.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AGAIN_S = 0.05


@contextmanager
def redelivered(heard: Callable[[], bool]) -> Iterator[None]:
    """Each signal is sent to the main thread again until it is `heard`. To be entered in the main thread."""
    if not hasattr(signal, "pthread_kill"):  # Windows
        yield
        return
    read, write = os.pipe()
    os.set_blocking(write, False)
    over = threading.Event()
    thread = threading.Thread(target=_send_again, args=(read, heard, over), daemon=True)
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        over.set()
        os.close(write)
        thread.join()
        os.close(read)


def _send_again(read: int, heard: Callable[[], bool], over: threading.Event) -> None:
    """Runs until the pipe's other end is closed. A byte is the number of a signal that came."""
    main = threading.main_thread().ident
    while number := os.read(read, 1):
        if number[0] == signal.SIGINT:  # a person who presses Ctrl-C presses it again
            continue
        if not over.wait(AGAIN_S) and not heard() and main is not None:
            signal.pthread_kill(main, number[0])  # whose own byte comes through the pipe again
