"""Why a backup cannot be made or restored."""

from pipelines.troubles import KnownError


class BackupRefusedError(KnownError):
    """A backup is not whole, or does not fit what it is to be restored into; the message says what to do."""

    code = "B1"
