"""What tests of copies share: Sandra's archives, and a real S3 server, which is rclone's."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2 as httpx
import pytest
import sqlalchemy as sa

from watchbook.archive.layout import trakt_layouts
from watchbook.archive.write import WrittenArchive, write_archive
from watchbook.offsite import copies
from watchbook.offsite.copies import Copy
from watchbook.offsite.handing_on import CopyResult, after_backup, send_due
from watchbook.settings import Settings, load
from watchbook.store import accounts, datasets
from watchbook.store.accounts import Account
from watchbook.store.datasets import DataSetState
from watchbook.store.opening import Store
from watchbook.store.schema import copies as copies_table

RCLONE = Path(sys.executable).with_name("rclone")
KEY, HIDDEN = "KEYOFSANDRA", "hidden-key-of-sandra"


class S3Server:
    """``rclone serve s3`` on a port of its own; its buckets are folders."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        (folder / "bucket").mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            [
                *(RCLONE, "serve", "s3", self.folder, "--config", "/dev/null"),
                *("--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{KEY},{HIDDEN}"),
                *("--dir-cache-time", "0", *self.options),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while self.process.poll() is None:
            try:
                httpx.get(self.address, trust_env=False)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        pytest.fail("rclone did not start")

    def limit(self, size: int) -> None:
        """Let no file grow beyond ``size`` bytes, as if the disk were full."""
        assert self.process is not None
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, size))

    def stop(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def files(self, bucket: str = "bucket") -> dict[str, bytes]:
        """What lies in a bucket."""
        folder = self.folder / bucket
        paths = (path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


class Wire:
    """A connection to the server that something can happen to; it knows only bytes.

    ``sent`` sees what goes to the server and may end it all by giving None; ``came`` may change
    what comes back.
    """

    def __init__(
        self,
        server: S3Server,
        sent: Callable[[bytes], bytes | None] = lambda data: data,
        came: Callable[[bytes], bytes | None] = lambda data: data,
    ) -> None:
        self._target = ("127.0.0.1", server.port)
        self._sent, self._came = sent, came
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near = self._door.accept()[0]
                try:
                    far = socket.create_connection(self._target)
                except OSError:
                    near.close()
                    continue
                for ends in ((near, far, self._sent), (far, near, self._came)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()

    def close(self) -> None:
        """No more connections."""
        self._door.shutdown(socket.SHUT_RDWR)
        self._serving.join()
        self._door.close()


def _pass_on(
    source: socket.socket, target: socket.socket, change: Callable[[bytes], bytes | None]
) -> None:
    with suppress(OSError):
        while (data := source.recv(1 << 16)) and (changed := change(data)) is not None:
            target.sendall(changed)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
    source.close()


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3Server]:
    """A running S3 server with an empty bucket."""
    server = S3Server(tmp_path / "s3")
    server.start()
    yield server
    server.stop()


class Owner:
    """Sandra, who owns the installation, her store and her settings."""

    def __init__(self, store: Store, settings: Callable[..., Settings]) -> None:
        self.store = store
        self._settings = settings
        with store.database.write() as conn:
            self.account = accounts.add(
                conn, "sandra", trakt_slug="sandra", timezone="Europe/Berlin"
            )
            for layout in trakt_layouts(conn, self.account.id):
                datasets.save(conn, self.account.id, DataSetState(layout.name, datasets.COMPLETE))
        self.folder = store.home / "backups"
        self.given: dict[str, str] = {}

    @property
    def settings(self) -> Settings:
        return self._settings(**self.given)

    def set(self, **given: object) -> None:
        """Set settings."""
        self.given |= {name: str(value) for name, value in given.items()}

    def use(self, server: S3Server, **more: str) -> None:
        """Set what is needed for ``server``."""
        self.set(
            copy_to="s3://bucket/deep/books",
            s3_endpoint=server.address,
            s3_access_key=KEY,
            s3_secret_key=HIDDEN,
        )
        self.set(**more)

    def write(self, account: Account | None = None) -> WrittenArchive:
        """Write one more archive."""
        return write_archive(self.store, account or self.account, self.folder, force=True)

    def hand_on(self, written: WrittenArchive) -> list[CopyResult]:
        """Hand an archive on, as `watchbook backup` does."""
        return after_backup(self.store, self.settings, self.account, written.path)

    def send_due(self) -> list[CopyResult]:
        """What the schedule calls."""
        return send_due(self.store, self.settings, self.account)

    def copies(self) -> list[Copy]:
        """What is known of the copies."""
        with self.store.database.read() as conn:
            return copies.of_account(conn, self.account.id)

    def hurry(self) -> None:
        """Make everything that failed due now."""
        with self.store.database.write() as conn:
            conn.execute(sa.update(copies_table).values(retry_at=0))


@pytest.fixture
def settings_with(tmp_path: Path) -> Callable[..., Settings]:
    """Settings, with those given."""

    def make(**given: str) -> Settings:
        home = {"WATCHBOOK_HOME": str(tmp_path / "home")}
        return load(home | {f"WATCHBOOK_{n.upper()}": text for n, text in given.items()}, tmp_path)

    return make


@pytest.fixture
def owner(store: Store, settings_with: Callable[..., Settings]) -> Owner:
    """Sandra, once on each database."""
    return Owner(store, settings_with)


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    """A folder elsewhere."""
    folder = tmp_path / "nas"
    folder.mkdir()
    return folder
