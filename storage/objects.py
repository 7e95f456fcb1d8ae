"""A lake in a bucket of an S3-compatible store. Needs obstore: pip install 'finnews[s3]'.

Where and who comes from the environment: FINNEWS_S3_ENDPOINT, FINNEWS_S3_REGION, FINNEWS_S3_ACCESS_KEY_ID,
FINNEWS_S3_SECRET_ACCESS_KEY, FINNEWS_S3_SESSION_TOKEN, or the same with AWS_. A file takes the place of another by a
conditional PUT (If-Match, If-None-Match): no lock, any number of writers.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, Literal
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import dataset
from pyarrow.fs import S3FileSystem

from storage.errors import LakeError
from storage.failpoint import failpoint
from storage.store import Blob, Listed, OnPut

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from obstore import UpdateVersion
    from obstore.store import S3Config, S3Store

PREFIXES = ("FINNEWS_S3_", "AWS_")
# Tried again by the client, as long as the store says that it is busy.
RETRIES = 6
PATIENCE = timedelta(seconds=60)
# Footers are read from the end of a file: of most files this is all of it.
READ_AHEAD_BYTES = 64 << 10


class ObjectStore:
    """Versions are entity tags: those of the content, so that what was put twice is one version."""

    # The clock of the bucket is another machine's.
    slack = timedelta(minutes=5)
    on_put: OnPut | None = None

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme != "s3" or not parts.netloc:
            raise LakeError(f"{url}: a lake is a folder, or s3://bucket/prefix")
        self.bucket, self.prefix = parts.netloc, parts.path.strip("/")
        try:
            import obstore
            from obstore import exceptions
        except ImportError as error:
            raise LakeError(f"{url}: obstore is missing; pip install 'finnews[s3]'") from error
        self._client = obstore
        self._conflicts = (exceptions.AlreadyExistsError, exceptions.PreconditionError)
        self._errors = exceptions.BaseError
        self._store = _connected(self.bucket, self.prefix)

    def prepare(self) -> None:
        """Nothing: folders come about by themselves."""

    def read(self, key: str) -> Blob | None:
        try:
            found = self._client.get(self._store, key)
            return Blob(bytes(found.bytes()), found.meta["e_tag"] or "")
        except FileNotFoundError:
            return None
        except self._errors as error:
            raise self._named(key, error) from error

    def open(self, key: str) -> BinaryIO:
        try:
            size_bytes = self._client.head(self._store, key)["size"]
        except self._errors as error:
            raise self._named(key, error) from error
        return io.BufferedReader(_Object(self, key, size_bytes), READ_AHEAD_BYTES)

    def read_range(self, key: str, first: int, length: int) -> bytes:
        """Raises FileNotFoundError. Fewer bytes, if the file ends before."""
        try:
            return bytes(self._client.get_range(self._store, key, start=first, length=length))
        except self._errors as error:
            raise self._named(key, error) from error

    def put(self, key: str, data: bytes, version: str | None) -> str | None:
        failpoint("put")
        mode: Literal["create"] | UpdateVersion = "create" if version is None else {"e_tag": version}
        try:
            # In one request, whatever its size: of the parts of an upload, nobody asks whether they are stale.
            made = self._client.put(self._store, key, data, mode=mode, use_multipart=False)
        except self._conflicts:
            return None
        except self._errors as error:
            raise self._named(key, error) from error
        failpoint("published")
        after = made["e_tag"]
        if self.on_put and after:
            self.on_put(key, version, after)
        return after

    def delete(self, key: str) -> None:
        try:
            self._client.delete(self._store, key)
        except FileNotFoundError:
            pass
        except self._errors as error:
            raise self._named(key, error) from error

    def entries(self, prefix: str) -> Iterator[Listed]:
        try:
            for page in self._client.list(self._store, f"{prefix.rstrip('/')}/"):
                for found in page:
                    yield Listed(found["path"], found["last_modified"], found["size"], found["e_tag"] or "")
        except self._errors as error:
            raise self._named(prefix, error) from error

    def sync(self, writers: Executor | None = None) -> None:
        """What the store has acknowledged, it keeps."""

    def sweep(self) -> None:
        """Nothing is ever half written."""

    def _named(self, key: str, error: Exception) -> LakeError:
        return LakeError(f"{self.url}/{key}: {' '.join(str(error).split())[:200]}")


class _Object(io.RawIOBase):
    """An object as a file that is read in parts."""

    def __init__(self, store: ObjectStore, key: str, size_bytes: int) -> None:
        self._store, self._key, self._size = store, key, size_bytes
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        room = memoryview(buffer).cast("B")
        length = min(len(room), self._size - self._at)
        if length <= 0:
            return 0
        data = self._store.read_range(self._key, self._at, length)
        room[: len(data)] = data
        self._at += len(data)
        return len(data)


def parquet_dataset(
    store: ObjectStore, keys: Sequence[str], columns: pa.Schema, partition: pa.Schema
) -> dataset.Dataset:
    """Files of a lake, with the columns that their paths tell."""
    endpoint = _endpoint() or ""
    scheme, _, host = endpoint.rpartition("://")
    system = S3FileSystem(
        access_key=setting("ACCESS_KEY_ID"),
        secret_key=setting("SECRET_ACCESS_KEY"),
        session_token=setting("SESSION_TOKEN"),
        region=_region(),
        endpoint_override=host or None,
        scheme=scheme or "https",
    )
    root = "/".join(filter(None, (store.bucket, store.prefix)))
    return dataset.dataset(
        [f"{root}/{key}" for key in keys],
        schema=pa.schema([*columns, *partition]),
        format="parquet",
        filesystem=system,
        partitioning=dataset.partitioning(partition, flavor="hive"),
    )


def setting(*names: str) -> str | None:
    """The first that is set, with our prefix before that of others."""
    given = (os.environ.get(prefix + name) for prefix in PREFIXES for name in names)
    return next((value for value in given if value), None)


def _connected(bucket: str, prefix: str) -> S3Store:
    from obstore.store import S3Store

    endpoint = _endpoint()
    settings: dict[str, str | None] = {
        "endpoint": endpoint,
        "region": _region(),
        "access_key_id": setting("ACCESS_KEY_ID"),
        "secret_access_key": setting("SECRET_ACCESS_KEY"),
        "session_token": setting("SESSION_TOKEN"),
    }
    given: S3Config = {name: value for name, value in settings.items() if value}  # type: ignore[assignment]
    return S3Store(
        bucket,
        config=given,
        prefix=prefix or None,
        virtual_hosted_style_request=False,
        client_options={"allow_http": bool(endpoint and endpoint.startswith("http:"))},
        retry_config={"max_retries": RETRIES, "retry_timeout": PATIENCE},
    )


def _endpoint() -> str | None:
    return setting("ENDPOINT", "ENDPOINT_URL_S3", "ENDPOINT_URL")


def _region() -> str:
    return setting("REGION", "DEFAULT_REGION") or "us-east-1"
