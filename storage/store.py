# ruff: noqa: PTH102, PTH103, PTH105, PTH108, PTH116, PTH120, PTH122, PTH123 – a dozen paths a file: as strings they cost
# a tenth of what a Path does, and do not hold up the other writers.
"""Where the files of a lake are, behind one protocol: a folder, or a bucket of an S3-compatible store.

    read ──▶ bytes and their version ──▶ merge ──▶ put in the place of that version ──▶ done, or read again

A file is only ever replaced as a whole, and only if it still is the version that was read: whoever writes beside us,
and however long we were asleep, nobody's rows are lost. What the files hold is none of this module's business.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, Protocol, TypeAlias

from storage.errors import LakeError, QueryError
from storage.failpoint import failpoint

STAGING = "_state/staging"
STRIPES = "_state/stripes"
# Two writers of one process or of two meet on a stripe only for the moment of a rename.
STRIPE_COUNT = 64
STRIPE_SECONDS = 30.0
# In the folder of a lake that is elsewhere.
REMOTE = "_state/remote"
RACERS = 8


class Blob(NamedTuple):
    data: bytes
    version: str


class Listed(NamedTuple):
    key: str
    modified_at: datetime
    size_bytes: int
    version: str


OnPut: TypeAlias = Callable[[str, str | None, str], None]


class Store(Protocol):
    """Keys are paths with slashes, relative to the lake."""

    url: str
    slack: timedelta
    """By how much its clock may differ from ours."""
    on_put: OnPut | None
    """Told of every file that was put: its key, the version that it replaced, its own."""

    def prepare(self) -> None:
        """Raises LakeError where nothing can be written."""

    def read(self, key: str) -> Blob | None:
        """None if there is none."""

    def open(self, key: str) -> BinaryIO:
        """For reading parts. Raises FileNotFoundError."""

    def read_range(self, key: str, first: int, length: int) -> bytes:
        """Fewer bytes, if the file ends before. Raises FileNotFoundError."""

    def put(self, key: str, data: bytes, version: str | None) -> str | None:
        """Replace this version (None: create). Gives the new version; None if another one is there by now."""

    def delete(self, key: str) -> None:
        """Whether or not it is there."""

    def entries(self, prefix: str) -> Iterator[Listed]:
        """What lies below a folder, in order of its key."""

    def sync(self, writers: Executor | None = None) -> None:
        """What was put survives a power cut once this returns."""

    def sweep(self) -> None:
        """Remove what killed writers left half written. For who is the only writer at that moment."""


class LocalStore:
    """A folder. Files are staged beside the trees, on the same file system, synced and renamed."""

    # File systems stamp by a clock of their own, which goes by ticks.
    slack = timedelta(seconds=2)
    on_put: OnPut | None = None

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)
        self._staging = f"{root}/{STAGING}"
        self._stripes = f"{root}/{STRIPES}"
        self._unsynced: set[str] = set()
        self._mutex = threading.Lock()

    def prepare(self) -> None:
        try:
            for folder in (self._staging, self._stripes):
                os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise LakeError(f"{self.root}: cannot write to the lake ({error.strerror})") from error

    def read(self, key: str) -> Blob | None:
        path = f"{self.url}/{key}"
        try:
            with open(path, "rb", buffering=0) as file:
                # Of the file that is open, whatever takes its place meanwhile.
                return Blob(file.read(), _version(os.fstat(file.fileno())))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LakeError(f"{path}: {error.strerror}") from error

    def open(self, key: str) -> BinaryIO:
        return (self.root / key).open("rb")

    def read_range(self, key: str, first: int, length: int) -> bytes:
        with self.open(key) as file:
            file.seek(first)
            return file.read(length)

    def put(self, key: str, data: bytes, version: str | None) -> str | None:
        path = f"{self.url}/{key}"
        folder, name = os.path.split(path)
        # No clock in the name: two writers may start in the same millisecond.
        staged = f"{self._staging}/{uuid.uuid4().hex}{os.path.splitext(name)[1]}"
        try:
            try:
                made = _version(write_synced(staged, data))
                failpoint("staged")
                if version is None:
                    self._make_folder(folder)
                with self._stripe(key):
                    renamed = self._version(path) == version
                    if renamed:
                        failpoint("rename")
                        os.replace(staged, path)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(staged)
                raise
            if not renamed:
                os.unlink(staged)
                return None
        except OSError as error:
            raise LakeError(f"{path}: {error.strerror}") from error
        with self._mutex:
            self._unsynced.add(folder)
        failpoint("published")
        if self.on_put:
            self.on_put(key, version, made)
        return made

    def delete(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)

    def entries(self, prefix: str) -> Iterator[Listed]:
        # A glob of ten thousand files takes a second; this, a fifth.
        root = str(self.root)
        for folder, folders, names in os.walk(self.root / prefix):
            folders.sort()
            for name in sorted(names):
                path = f"{folder}/{name}"
                with suppress(FileNotFoundError):
                    found = os.stat(path)
                    modified_at = datetime.fromtimestamp(found.st_mtime, UTC)
                    yield Listed(path[len(root) + 1 :], modified_at, found.st_size, _version(found))

    def sync(self, writers: Executor | None = None) -> None:
        with self._mutex:
            folders, self._unsynced = self._unsynced, set()
        try:
            # Each waits for the disk; together they wait hardly longer than one.
            list((writers.map if writers else map)(sync_folder, sorted(folders)))
        except OSError as error:
            with self._mutex:
                self._unsynced |= folders
            raise LakeError(f"{self.root}: {error.strerror}") from error

    def sweep(self) -> None:
        for path in Path(self._staging).iterdir():
            path.unlink(missing_ok=True)

    @contextmanager
    def _stripe(self, key: str) -> Iterator[None]:
        file = os.open(f"{self._stripes}/{zlib.crc32(key.encode()) % STRIPE_COUNT:02x}", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            deadline = time.monotonic() + STRIPE_SECONDS
            while not _flocked(file):
                if time.monotonic() > deadline:
                    raise LakeError(f"{self.root / key}: a writer stands still right before it; end it, or wake it")
                time.sleep(0.001)
            yield
        finally:
            # Not by closing alone: a process forked meanwhile would hold on to it.
            fcntl.flock(file, fcntl.LOCK_UN)
            os.close(file)

    def _version(self, path: str) -> str | None:
        try:
            return _version(os.stat(path))
        except FileNotFoundError:
            return None

    def _make_folder(self, folder: str) -> None:
        try:
            os.mkdir(folder)
        except FileExistsError:
            return
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
        with self._mutex:
            # Those above too: who made them may have been killed before they were synced.
            while len(folder) > len(self.url):
                folder = os.path.dirname(folder)
                self._unsynced.add(folder)


def write_synced(path: str, data: bytes) -> os.stat_result:
    """A new file, and what is known of it."""
    with open(path, "xb", buffering=0) as file:
        left = memoryview(data)
        while left:
            failpoint("write")
            left = left[file.write(left) :]
        failpoint("fsync")
        os.fsync(file.fileno())
        return os.fstat(file.fileno())


def sync_folder(folder: str | Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        failpoint("fsync")
        os.fsync(handle)
    finally:
        os.close(handle)


def _flocked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _version(found: os.stat_result) -> str:
    return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"


# A lake in a bucket has a folder on this machine, for its state and for pages on their way; a line there says where it
# is. Whatever takes the folder of a lake takes this one as well.


def home_of(lake: str, state: str = "") -> Path:
    """The folder of a lake: of one in a bucket `state`, or one by its name among the user's state."""
    if not is_remote(lake):
        return Path(lake)
    home = Path(state) if state else _state_folder() / f"{PurePosixPath(lake).name}-{_digest(lake)}"
    known = remote_of(home)
    if known and known != lake:
        raise LakeError(f"{home}: holds the state of {known}, not of {lake}; name another with FINNEWS_STATE")
    if not known:
        try:
            (home / REMOTE).parent.mkdir(parents=True, exist_ok=True)
            (home / REMOTE).write_text(f"{lake}\n", encoding="utf-8")
        except OSError as error:
            raise LakeError(f"{home}: {error.strerror}") from error
    return home


def is_remote(lake: str) -> bool:
    return "://" in lake


def remote_of(home: Path) -> str:
    """Where the lake of this folder is, if not in it; else empty."""
    try:
        return (home / REMOTE).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def require_lake(lake: Path) -> None:
    """For commands that only look: a lake that is not there is a slip of the pen, and not made. Raises QueryError."""
    url = remote_of(lake)
    there = next(open_store(lake).entries(""), None) is not None if url else lake.is_dir()
    if not there:
        raise QueryError(f"{url or lake}: no lake here; name one with --lake, or make one with `finnews demo`")


def open_store(lake: str | Path) -> Store:
    """`lake` is where it is, or its folder."""
    url = str(lake) if is_remote(str(lake)) else remote_of(Path(lake))
    if not url:
        return LocalStore(Path(lake))
    from storage.objects import ObjectStore

    return ObjectStore(url)


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a store did when it was tried."""

    url: str
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    """Each with what went wrong. Several writers on such a store may overwrite each other."""
    seconds: float

    @property
    def sound(self) -> bool:
        return not self.failed


def probe(lake: str | Path) -> ProbeReport:
    """Try with a file of its own whether the store refuses stale writes, as everything here relies on."""
    store, began = open_store(lake), time.monotonic()
    store.prepare()
    passed, failed = list[str](), list[str]()
    key = f"_state/probe-{uuid.uuid4().hex}"
    try:
        for promise, kept in _promises(store, key):
            (passed if kept else failed).append(promise)
    except LakeError as error:
        failed.append(f"answers: {error}")
    finally:
        with suppress(LakeError):
            store.delete(key)
            store.delete(f"{key}-race")
    return ProbeReport(store.url, tuple(passed), tuple(failed), time.monotonic() - began)


def _promises(store: Store, key: str) -> Iterator[tuple[str, bool]]:
    first = store.put(key, b"first", None)
    yield "creates what is not there", first is not None
    yield "reads what was written", store.read(key) == (b"first", first)
    yield "refuses to create what is there", store.put(key, b"again", None) is None
    second = store.put(key, b"second", first)
    yield "replaces the version that was read", second is not None
    yield "refuses to replace an older version", store.put(key, b"stale", first) is None
    yield "keeps what it did not refuse", store.read(key) == (b"second", second)
    with ThreadPoolExecutor(RACERS) as racers:
        made = list(racers.map(lambda n: store.put(f"{key}-race", b"%d" % n, None), range(RACERS)))
        won = [version for version in made if version]
        yield "lets one of many at once create", len(won) == 1
        made = list(racers.map(lambda n: store.put(f"{key}-race", b"again %d" % n, won[0]), range(RACERS)))
        yield "lets one of many at once replace", sum(version is not None for version in made) == 1
    store.delete(key)
    yield "deletes", store.read(key) is None


def _state_folder() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "finnews"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
