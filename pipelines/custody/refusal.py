"""Why a backup cannot be made or restored."""


class BackupRefusedError(Exception):
    """A backup is not whole, or does not fit what it is to be restored into; the message says what to do."""
