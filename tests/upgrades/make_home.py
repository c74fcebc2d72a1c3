"""Makes the home of a release that later releases are tested to upgrade, with nothing but that release's own commands.

In a checkout of the release, with its environment:

    PYTHONPATH=. python …/tests/upgrades/make_home.py first_release.tar.xz

The archive holds ``home/`` after two nights, decisions and one merge; ``later/``, the files of a third night; and
``told.json``, what the release said of its home. Nobody in it exists.
"""

from __future__ import annotations

import json
import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

NIGHTS = ("2026-11-18", "2026-11-19", "2026-11-20")
SAMPLE = ("--clients", "40", "--visits", "160", "--seed", "5", "--nights", str(len(NIGHTS)), "--day", NIGHTS[-1])


def main(archive: Path) -> None:
    """Make the home, and pack it."""
    with tempfile.TemporaryDirectory() as folder:
        _live(Path(folder))
        _pack(Path(folder), archive)


def _live(folder: Path) -> None:
    home, feeds, later = folder / "home", folder / "feeds", folder / "later"
    say(home, "sample", "--out", feeds, *SAMPLE)
    for night in NIGHTS[:2]:
        say(home, "nightly", "--inbox", feeds / "inbox" / night, "--day", night)
    proposed = say(home, "candidates")
    sure, (*_, different, unsure) = (
        [one["candidate_id"] for one in proposed if (one["tier"] == "near-certain") is tier] for tier in (True, False)
    )
    to_merge, undone, *_ = sure
    for candidate in sure[:4]:
        _decide(home, candidate, "same", "--move-active-orders", "--aliases", "keep")
    _decide(home, unsure, "unsure")
    _decide(home, different, "different")
    say(home, "decide", undone, "--undo", "--by", "Jo", "--reason", "rang again")
    say(home, "merge", "apply", "--candidate", to_merge, "--by", "Sam")
    say(home, "report")
    shutil.copytree(feeds / "inbox" / NIGHTS[2], later)
    shutil.rmtree(feeds)
    (folder / "told.json").write_text(json.dumps({"merged": to_merge, **_told(home)}, indent=1) + "\n")


def _told(home: Path) -> dict[str, Any]:
    return {
        "fingerprint": say(home, "fingerprint")["fingerprint"],
        "linked": say(home, "fingerprint", "--scope", "linked")["fingerprint"],
        "standings": {one["candidate_id"]: one["standing"] for one in say(home, "candidates", "--all")},
        "merges": say(home, "merge", "status")["merges"],
    }


def _decide(home: Path, candidate: str, verdict: str, *choices: str) -> None:
    say(home, "decide", candidate, "--verdict", verdict, "--by", "Jo", "--reason", "rang", *choices)


def say(home: Path, *words: object) -> Any:
    """What a command answers in JSON; the first word of the command may be two."""
    command = [sys.executable, "-m", "pipelines.cli", *map(str, words), "--home", str(home), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _pack(folder: Path, archive: Path) -> None:
    def nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with (
        lzma.open(archive, "wb", preset=9 | lzma.PRESET_EXTREME) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name, filter=nobodys)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
