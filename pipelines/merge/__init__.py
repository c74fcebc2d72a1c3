"""What a merge would do and what stands in its way; plan, sign-off, steps, undo, and what is published."""

from pipelines.troubles import KnownError


class MergeError(KnownError):
    """A merge, or an undo, that cannot be done or carried on; the message says what to do. Nothing is half done."""

    code = "M8"
