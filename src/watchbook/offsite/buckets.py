"""Buckets of S3-compatible services, through obstore, which is an extra of the package."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from watchbook.archive.encryption import Digested
from watchbook.errors import (
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    SettingsError,
)
from watchbook.files import file_errors
from watchbook.offsite.places import damaged
from watchbook.redaction import secret
from watchbook.settings import Settings
from watchbook.steps import step
from watchbook.values import Bucket

if TYPE_CHECKING:
    from obstore.store import S3Credential, S3Store

AMAZON = "https://s3.{region}.amazonaws.com"
_REGION = "us-east-1"
_PART = 8 << 20
_PIECE = 1 << 20
_LANES = 2
_TRIES = 4
_TRIAL = ".watchbook-trial"
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")


class S3:
    """Below a prefix of a bucket. Large files go in parts, at most three of them in memory."""

    def __init__(self, bucket: Bucket, settings: Settings) -> None:
        self.name = str(bucket)
        self._endpoint = settings.s3_endpoint or AMAZON.format(region=settings.s3_region or _REGION)
        self._bucket = bucket
        self._store = _store(bucket, self._endpoint, settings)

    def check(self, made: Collection[str]) -> None:
        """Nothing: a bucket is there or answers that it is not."""

    def put(self, path: Path, expected: Digested) -> None:
        """Upload ``path``, then read the whole object back; what differs does not stay."""
        import obstore  # noqa: PLC0415 - an extra

        with file_errors(path), path.open("rb") as file, self._errors():
            obstore.put(self._store, path.name, file, chunk_size=_PART, max_concurrency=_LANES)
        step("copy.sent")
        if self._read_back(path.name) != expected:
            self.delete(path.name)
            raise damaged(self.name, path.name)

    def put_small(self, name: str, content: bytes) -> None:
        """Write a few bytes."""
        with self._errors():
            self._store.put(name, content)

    def names(self) -> set[str]:
        """Every object right below the prefix."""
        with self._errors():
            found = self._store.list_with_delimiter()["objects"]
        start = f"{self._bucket.prefix}/" if self._bucket.prefix else ""
        return {one["path"].removeprefix(start) for one in found}

    def delete(self, name: str) -> None:
        """Delete one object."""
        with self._errors():
            self._store.delete(name)

    def try_out(self) -> None:
        """Write and delete a small object."""
        self.put_small(_TRIAL, b"?")
        self.delete(_TRIAL)

    def _read_back(self, name: str) -> Digested:
        digest, size = sha256(), 0
        with self._errors():
            for piece in self._store.get(name).stream(_PIECE):
                digest.update(piece)
                size += len(piece)
        return Digested(size, digest.hexdigest())

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the library's errors, which tell all about a request, into ours."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra

        try:
            yield
        except (BaseError, FileNotFoundError, ValueError) as reason:
            raise self._error(str(reason)) from None

    def _error(self, said: str) -> RemoteError:
        code, status = _CODE.search(said), _STATUS.search(said)
        number = int(status[1]) if status else None
        if number is None:
            how = "cannot be reached" if "HTTP error" in said else "does not answer as S3 does"
            return RemoteUnavailable(
                f"{self.name}: {self._endpoint} {how}.",
                service=self._endpoint,
                hint="Check the network, and WATCHBOOK_S3_ENDPOINT with `watchbook config`.",
            )
        told = f"{self.name}: {self._endpoint} answered {number}{f' {code[1]}' if code else ''}."
        if number >= 500 or number in {408, 429}:
            return RemoteUnavailable(told, service=self._endpoint, status=number)
        return RemoteRejected(told, service=self._endpoint, status=number, hint=_advice(number))


class _Keys:
    """Gives the library the one key there is, which never ends."""

    def __init__(self, key: str, hidden: str) -> None:
        self._given: S3Credential = {
            "access_key_id": key,
            "secret_access_key": hidden,
            "expires_at": None,
        }

    def __call__(self) -> S3Credential:
        return self._given


def _advice(status: int) -> str:
    if status in {401, 403}:
        return (
            "Check WATCHBOOK_S3_ACCESS_KEY, WATCHBOOK_S3_SECRET_KEY and WATCHBOOK_S3_REGION, and "
            "whether the key may list, read, write and delete in the bucket."
        )
    return "Check that the bucket exists, and WATCHBOOK_S3_ENDPOINT and WATCHBOOK_COPY_TO."


def _store(bucket: Bucket, endpoint: str, settings: Settings) -> S3Store:
    """The library's door, with nothing left that it would take from the environment.

    What is set there for Amazon's own tools is about another account, and would even win over an
    endpoint that is given (https://github.com/developmentseed/obstore/issues/753).
    """
    try:
        from obstore.store import S3Store  # noqa: PLC0415 - an extra
    except ImportError:
        raise SettingsError(
            f"Copies to {bucket} need the library obstore, which is not installed.",
            hint="Run `make s3` in Watchbook's folder; where pip installed it: "
            "pip install 'watchbook[s3]'",
        ) from None
    key, hidden = settings.s3_keys
    if not key or not hidden:
        raise SettingsError(
            f"Copies to {bucket} need a key, and "
            f"WATCHBOOK_S3_{'SECRET' if key else 'ACCESS'}_KEY is not set.",
            hint="The service shows both parts of the key when it is made.",
        )
    secret(key)
    secret(hidden)
    return S3Store(
        bucket.name,
        prefix=bucket.prefix or None,
        endpoint=endpoint,
        aws_endpoint_url_s3=endpoint,
        region=settings.s3_region or _REGION,
        virtual_hosted_style_request=False,
        disable_bulk_delete=True,
        skip_signature=False,
        credential_provider=_Keys(key, hidden),
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=20),
            "read_timeout": timedelta(seconds=60),
            "timeout": timedelta(hours=6),
        },
        retry_config={"max_retries": _TRIES, "retry_timeout": timedelta(minutes=3)},
    )
