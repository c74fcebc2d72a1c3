"""Everything that is known to go wrong: one code for each kind, what it is, and how a command ends that meets it.

To add one: a line here, a section in ``docs/errors.md`` with the same code and title, and an error that carries it, as
``code`` of its class or of the one that is raised. A code that was ever given is never given to something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

FOUND_A_PROBLEM = 1
WRONG_USE = 2
MAY_PASS = frozenset({"U2", "L1", "W1", "T2", "X1", "X2", "X3", "X4", "X5"})
"""Codes of what another try may find gone: a share that was not mounted, a lock, a disk, what nobody foresaw."""


@dataclass(frozen=True)
class Trouble:
    """One kind of trouble: its code, what it is in a few words, and the exit code of a command that meets it."""

    code: str
    title: str
    exit_code: int

    @property
    def see(self) -> str:
        """Where it is written what has happened to the data, and what to do."""
        return f"docs/errors.md#{self.code.lower()}"

    @property
    def may_pass(self) -> bool:
        """Whether to try again; anything else stays as it is until somebody has seen to it."""
        return self.code in MAY_PASS


def _troubles(exit_code: int, **titles: str) -> dict[str, Trouble]:
    return {code: Trouble(code, title, exit_code) for code, title in titles.items()}


TROUBLES: dict[str, Trouble] = {
    # Usage: the command itself.
    **_troubles(
        WRONG_USE,
        U1="The command was not understood",
        U2="A file or folder that is named is not there",
        U3="Something is there already, and is not written over",
    ),
    # Settings: what an operator writes.
    **_troubles(
        WRONG_USE,
        S1="settings.toml, or what a command was told, cannot be used",
        S2="A source mapping cannot be used",
        S3="The list of providers cannot be used",
        S4="The model that is to be used is not there, or is another version's",
        S5="A labelled file cannot be evaluated",
        S6="Spark cannot be started",
        S7="The place of the decisions cannot be used",
    ),
    **_troubles(FOUND_A_PROBLEM, S8="There is no home where one is looked for"),
    # Keys, and what is sealed with them.
    **_troubles(
        WRONG_USE,
        K1="The key is missing, wrong, or none",
        K3="DuckDB cannot encrypt on this machine",
    ),
    **_troubles(FOUND_A_PROBLEM, K2="A sealed file is damaged, or is not sealed"),
    # Files: what was delivered or handed back.
    **_troubles(
        FOUND_A_PROBLEM,
        F1="No source mapping fits the file's name",
        F2="The file is empty",
        F3="The file is not what its name says",
        F4="The file is cut off or half-written",
        F5="The file cannot be read as a table",
        F6="No row holds headings that are known",
        F7="A heading that the source must send is missing",
        F8="The workbook is damaged or protected",
        F9="The file is too large, or spans far too much",
        F10="The file failed its checks",
        F11="Its FileReference was loaded before",
        F12="The file's name is not UTF-8",
        F13="A kept original is not as it was when it was loaded",
        F14="The file is no list of decisions",
        F15="Some rows of a list of decisions were refused",
        F20="A column that earlier files filled is missing",
        F21="A full export lacks too many records",
        F22="The file would create far more clients than usual",
        F23="The file cannot be accepted",
    ),
    # Decisions: what a person says.
    **_troubles(
        WRONG_USE,
        D1="What was said cannot be recorded as it stands",
        D2="It is not said who decides, or it is no person",
        D3="The reason is missing",
        D4="The records have changed since they were looked at",
        D5="There is no such candidate to decide on, or it stands there twice",
        D6="The row is not as oneclient wrote it",
        D7="A choice names what is not on the records",
        D8="It cannot be said in bulk",
        D9="There is nothing of one's own to take back",
        D10="Who decided may not carry it out as well",
        D11="Another merge was signed off meanwhile",
        D12="The person cannot be forgotten as was said",
        D13="The sign-in is not one person's",
        D14="The merges that are named cannot be selected",
    ),
    # Log: where decisions are kept.
    **_troubles(
        FOUND_A_PROBLEM,
        L1="The decision store does not answer, or stays locked",
        L2="The decision store is damaged",
        L3="The decision log is not as it was recorded",
        L4="The decision store was made by a newer oneclient",
        L5="The decision store is not upgraded yet",
    ),
    # Reports.
    **_troubles(
        WRONG_USE,
        R1="No night has run yet",
        R2="There is no such report, candidate or cluster",
        R3="The report was written by another version",
    ),
    # Warehouse.
    **_troubles(
        FOUND_A_PROBLEM,
        W1="The warehouse is open in another process",
        W2="The warehouse is damaged",
        W3="The warehouse was made by another version",
        W4="The home is not upgraded yet",
        W5="The warehouse is cut off",
        G1="A table failed its checks",
    ),
    # Merges.
    **_troubles(
        FOUND_A_PROBLEM,
        M1="Nobody has signed the plan off",
        M2="Another merge run is not finished",
        M3="The plan is not what was looked at",
        M4="A merge must not go further",
        M5="What was merged does not hold",
        M6="Rows would have been lost or made up",
        M7="The merge policy does not know a table",
        M8="A merge or undo cannot be done",
    ),
    # Backups.
    **_troubles(
        FOUND_A_PROBLEM,
        B1="The backup is damaged, or is none",
        B2="The backup was made by another version",
        B3="The home cannot be made where it is to be",
    ),
    # Training and matching.
    **_troubles(
        FOUND_A_PROBLEM,
        T1="There is nothing to learn from",
        T2="Spark failed",
        T3="Spark disagrees with DuckDB",
        T4="A rule cannot be said in Spark's words",
    ),
    # Machine and program.
    **_troubles(
        FOUND_A_PROBLEM,
        X1="Something failed that nobody foresaw",
        X2="The disk is full",
        X3="The disk is read-only",
        X4="Something may not be read or written",
        X5="The disk is damaged",
    ),
}


class KnownError(Exception):
    """An error that oneclient foresees: one clear sentence that says what to do next, and the code of its kind."""

    code: ClassVar[str]

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        self.trouble = TROUBLES[code or self.code]

    @property
    def told(self) -> str:
        """The message with its code and where to read on: ``[W1] The warehouse is … (docs/errors.md#w1)``."""
        return told(self.trouble, str(self))


class NotThereError(KnownError, FileNotFoundError):
    """A file or folder that was named is not there."""

    code = "U2"


class AlreadyThereError(KnownError, FileExistsError):
    """What is to be made is there already."""

    code = "U3"


def told(trouble: Trouble, message: str) -> str:
    """A message with its code and where to read on; one that has them stays as it is."""
    return message if message.startswith(f"[{trouble.code}] ") else f"[{trouble.code}] {message} ({trouble.see})"
