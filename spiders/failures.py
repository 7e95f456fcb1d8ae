"""Why a request came to nothing, in the project's own words.

    exception ──explain──▶ Failure(reason, detail, temporary)

Temporary failures leave the article pending, to be tried by a later run; the others put it in quarantine. Either way it
is counted once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Response
from twisted.internet.error import ConnectError
from twisted.internet.error import TimeoutError as ConnectTimeoutError
from twisted.python.failure import Failure as TwistedFailure

from articles.records import Reason

DOWNLOAD_ERRORS = (
    IgnoreRequest,
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
    ConnectError,
    ConnectTimeoutError,
)

# What twisted's parser raises when the other side does not speak HTTP.
_NOT_HTTP = re.compile(r"ParseError|LineTooLong|LengthError|Malformed|ValueError|BadHeaders")
_TLS = re.compile(r"SSL|certificate|VerificationError", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(?<=//)[^/\s@]*@")


class Refused(IgnoreRequest):
    """Raised by our own middlewares and download handler."""

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        temporary: bool = False,
        retry: bool = False,
        response: Response | None = None,
    ) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.temporary, self.retry, self.response = reason, detail, temporary, retry, response


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    reason: Reason
    detail: str
    temporary: bool = True
    retry: bool = True
    """Worth another try within this run."""
    response: Response | None = None
    """What did arrive, for the archive."""


def explain(error: BaseException) -> Failure | None:
    """None for an exception that is no failure of the network: a bug of ours."""
    if isinstance(error, Refused):
        return Failure(
            reason=error.reason,
            detail=error.detail,
            temporary=error.temporary,
            retry=error.retry,
            response=error.response,
        )
    if isinstance(error, DownloadTimeoutError | ConnectTimeoutError):
        return Failure(reason=Reason.TIMEOUT, detail="no complete answer in time")
    if isinstance(error, CannotResolveHostError):
        return Failure(reason=Reason.NETWORK, detail="the host name does not resolve")
    if isinstance(error, DownloadConnectionRefusedError):
        return Failure(reason=Reason.NETWORK, detail="connection refused")
    if isinstance(error, ResponseDataLossError):
        return Failure(reason=Reason.NETWORK, detail="the connection ended within the answer")
    if isinstance(error, DownloadCancelledError):
        return Failure(reason=Reason.TOO_BIG, detail="longer than the limit", temporary=False, retry=False)
    if isinstance(error, DownloadFailedError):
        return _failed(error)
    if isinstance(error, NotSupported | UnsupportedURLSchemeError):
        return Failure(reason=Reason.BLOCKED, detail="neither http nor https", temporary=False, retry=False)
    if isinstance(error, ConnectError):
        return Failure(reason=Reason.NETWORK, detail=f"no connection: {error.osError or error}")
    return None


def without_credentials(url: str) -> str:
    """For logs and records: what stands before an @ is a password more often than not."""
    return _CREDENTIALS.sub("…@", url)


def _failed(error: DownloadFailedError) -> Failure:
    causes = "; ".join(_causes(error)) or str(error)
    if _TLS.search(causes):
        return Failure(reason=Reason.NETWORK, detail=f"TLS: {causes}", retry=False)
    if _NOT_HTTP.search(causes):
        return Failure(reason=Reason.PROTOCOL, detail=f"not HTTP: {causes}", temporary=False)
    return Failure(reason=Reason.NETWORK, detail=f"the connection was lost: {causes}")


def _causes(error: DownloadFailedError) -> list[str]:
    """Twisted keeps the reasons of a failed answer in a list of failures, one inside the other."""
    reasons: list[TwistedFailure] = getattr(error.__cause__, "reasons", [])
    return [f"{type(reason.value).__name__} {reason.getErrorMessage()}".strip()[:200] for reason in reasons]
