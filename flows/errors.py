"""Which errors are a person's to mend, and the exit code each ends the command line with. All others are bugs."""

from __future__ import annotations

import errno
import os

from flows.commands.dedup import DocumentsError
from flows.core.accounting import Exit
from flows.core.documents import ManifestError
from flows.core.fetching import NoAnswerError
from flows.core.units import RangeError
from flows.server.serving import ServingError
from flows.settings import SettingsError
from flows.writing import OutputError
from spiders.archives import ArchiveError
from spiders.catalogue import SourceFileError, UnknownSourceError
from spiders.drafting import NoDraftError
from storage.errors import LockHeld, NotWritable, QueryError, StorageError

EXIT_CODES: tuple[tuple[type[Exception], Exit], ...] = (
    (LockHeld, Exit.LOCKED),
    (QueryError, Exit.USAGE),
    (NotWritable, Exit.USAGE),
    (StorageError, Exit.ALL_FAILED),
    (SettingsError, Exit.USAGE),
    (OutputError, Exit.USAGE),
    (SourceFileError, Exit.USAGE),
    (UnknownSourceError, Exit.USAGE),
    (ManifestError, Exit.USAGE),
    (ServingError, Exit.USAGE),
    (NoDraftError, Exit.USAGE),
    (NoAnswerError, Exit.ALL_FAILED),
    (DocumentsError, Exit.USAGE),
    (ArchiveError, Exit.USAGE),
    (RangeError, Exit.USAGE),
)


# A disk that is full is nobody's mistake, wherever it shows: in a file, where stdout is sent to, or in an error that
# somebody else made of it.
FULL = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT)))


def exit_code(error: Exception) -> Exit | None:
    if any(reason in str(error) for reason in FULL):
        return Exit.ALL_FAILED
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), None)
