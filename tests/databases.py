"""The databases that the store's tests run on: a SQLite file, and a PostgreSQL cluster of the session's own.

The cluster is made by Debian's binaries (apt install postgresql), listens on a socket in its own folder alone, and is
gone after the session. initdb refuses root, so that root hands it to the user `postgres`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from llamafarm.history.database.connecting.place import Place, place_of

KINDS = ("sqlite", "postgresql")
# Nothing here must survive a power cut.
SETTINGS = ["fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=60"]


@dataclass(frozen=True, slots=True)
class Cluster:
    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(database), autocommit=True)

    def create(self, database: str) -> str:
        """A new database; gives its address."""
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {database}".encode())
        return self.url(database)

    def drop(self, database: str) -> None:
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)".encode())


def binaries() -> Path | None:
    """The newest PostgreSQL of this machine."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found and (found[-1] / "initdb").exists() else None


def _owner() -> str | None:
    """The user that the cluster belongs to; None is this one."""
    return "postgres" if os.geteuid() == 0 else None


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, user=_owner(), cwd="/", capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def _missing(why: str) -> None:
    if os.environ.get("LF_REQUIRE_POSTGRES"):
        pytest.fail(f"{why}, and LF_REQUIRE_POSTGRES asks for PostgreSQL.")
    pytest.skip(f"{why} (apt install postgresql): the store's tests on PostgreSQL need it.")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running cluster with a superuser `postgres`."""
    programs = binaries()
    if programs is None:
        _missing("No PostgreSQL was found")
        return
    folder = Path(tempfile.mkdtemp(prefix="lf-pg-", dir="/tmp"))  # a socket's path must be short, and reachable
    if (owner := _owner()) is not None:
        os.chown(folder, pwd.getpwnam(owner).pw_uid, -1)
    data, log = folder / "data", folder / "log"
    try:
        _run(
            programs / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        options = " ".join(f"-c {setting}" for setting in [*SETTINGS, f"unix_socket_directories={folder}"])
        _run(programs / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        yield Cluster(folder)
    finally:
        if (data / "postmaster.pid").exists():
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database, on each kind in turn."""
    if request.param == "sqlite":
        yield known(place_of({"LF_DATA_DIR": str(tmp_path / "history")}))
        return
    postgresql: Cluster = request.getfixturevalue("cluster")
    name = f"test_{os.urandom(6).hex()}"
    yield known(place_of({"LF_DATABASE_URL": postgresql.create(name)}))
    postgresql.drop(name)


def known(place: Place | None) -> Place:
    assert place is not None
    return place
