"""Why a whole file is refused."""

from pipelines.troubles import KnownError

ASK_AGAIN = "Ask the sender for the file again."


class FileRefusedError(KnownError):
    """The file goes to quarantine. The message is the reason and what to do next; it quotes no cell of the file."""

    code = "F5"


class NotTextError(FileRefusedError):
    """The file has a text file's name and something else inside."""

    code = "F3"
