"""A real server process: its memory, and how long its event loop stands still."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVERY_S = 0.002


@dataclass
class Watched:
    """The process, and the longest that a small answer took since `worst_s` was set to zero."""

    process: subprocess.Popen[str]
    port: int
    link: str
    worst_s: float = 0.0
    answers: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def memory(self) -> int:
        """Resident bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        (line,) = (line for line in lines if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
        """The status of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            accepted = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
            connection.request(method, path, body, accepted | headers)
            return connection.getresponse().status
        except (ConnectionError, http.client.RemoteDisconnected):
            return 0  # it was closed while we still sent
        finally:
            connection.close()

    def watch(self) -> None:
        """Ask for something small again and again, and remember the longest answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self._stop.is_set():
            begun = time.perf_counter()
            connection.request("GET", "/robots.txt")
            connection.getresponse().read()
            self.worst_s = max(self.worst_s, time.perf_counter() - begun)
            self.answers += 1
            self._stop.wait(EVERY_S)
        connection.close()

    def stop(self) -> None:
        """Watch no more."""
        self._stop.set()


@contextmanager
def watched(folder: Path, *options: str, **environ: str) -> Iterator[Watched]:
    """`app.py` as a process, watched from a thread."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "app.py", "--port", "0", *options],
        cwd=folder, env=os.environ | {"LF_DATA_DIR": str(folder)} | environ, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    link = process.stdout.readline().strip().removeprefix("LlamaFarm Playground: ")
    server = Watched(process, int(link.split(":")[2].split("/")[0]), link)
    watcher = threading.Thread(target=server.watch, daemon=True)
    try:
        while server.ask("GET", "/robots.txt") != 200:
            time.sleep(0.05)  # the port is bound before it is listened on
        server.ask("POST", "/mcp", b"{}")  # what is imported with the first request is no attack's doing
        watcher.start()
        yield server
    finally:
        server.stop()
        if watcher.is_alive():
            watcher.join(60)
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.stdout.close()
