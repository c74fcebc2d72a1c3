"""What every command is made with: its options, its errors as one clear line, its answer in words or in JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click
from rich.console import Console
from rich.progress import Progress

from pipelines import __version__
from pipelines.settings import SettingsError, home_of

P = ParamSpec("P")
Day = click.DateTime(formats=["%Y-%m-%d"])

FOUND_A_PROBLEM = 1
WRONG_USE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="oneclient")
@click.option("-v", "--verbose", is_flag=True, help="Say what is being done.")
def main(verbose: bool) -> None:
    """One person, one client record."""
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(name)s: %(message)s")


def command(function: Callable[P, None], group: click.Group | None = None, name: str | None = None) -> click.Command:
    """A command with ``--home`` or ``--provider``, and ``--json``; its known errors become one clear line and an exit
    code."""

    @click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="The provider's home folder.")
    @click.option("--provider", help="Instead of --home: a provider's name in the list of providers.")
    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        provider = kwargs.pop("provider")
        with _known_errors():
            if provider is not None:
                if kwargs["home"]:
                    raise click.UsageError("Say --home or --provider, not both.")
                kwargs["home"] = home_of(str(provider))
            function(*args, **kwargs)

    return (group or main).command(name)(run)


@contextmanager
def _known_errors() -> Iterator[None]:
    from pipelines.custody.refusal import BackupRefusedError
    from pipelines.decisions.database import StoreUnavailableError
    from pipelines.decisions.snapshot import DecisionsDamagedError
    from pipelines.decisions.statement import DecisionRefusedError
    from pipelines.disk import disk_trouble
    from pipelines.ingest.refusal import FileRefusedError
    from pipelines.match.spark.handover import SparkDisagreesError
    from pipelines.match.spark.submit import SparkFailedError
    from pipelines.merge import MergeError
    from pipelines.quality import TableGateError
    from pipelines.review.publish import NoReportError
    from pipelines.sealing import SealBrokenError
    from pipelines.stage.register import NoRegisterError
    from pipelines.unforeseen import whereabouts
    from pipelines.warehouse import WarehouseBusyError, WarehouseDamagedError, WarehouseShapeError

    try:
        yield
    except (
        SettingsError, NoReportError, NoRegisterError, DecisionRefusedError, FileNotFoundError, FileExistsError,
    ) as error:  # fmt: skip
        click.echo(f"oneclient: {error}", err=True)
        sys.exit(WRONG_USE)
    except (
        TableGateError, WarehouseBusyError, WarehouseDamagedError, WarehouseShapeError, StoreUnavailableError,
        DecisionsDamagedError, FileRefusedError, MergeError, BackupRefusedError, SealBrokenError,
        SparkFailedError, SparkDisagreesError,
    ) as error:  # fmt: skip
        click.echo(f"oneclient: {disk_trouble(error) or error}", err=True)
        sys.exit(FOUND_A_PROBLEM)
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        unforeseen = f"Something failed that nobody foresaw: {whereabouts(error)}."
        click.echo(f"oneclient: {disk_trouble(error) or unforeseen}", err=True)
        sys.exit(FOUND_A_PROBLEM)


def answer(data: Any, as_json: bool, show: Callable[[], None]) -> None:
    """Answer in JSON if it was asked for, else show."""
    if as_json:
        click.echo(json.dumps(data, indent=2, default=str, ensure_ascii=False))
    else:
        show()


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal, as a function of step, done and of how many."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda step, done, of: bar.update(task, description=step, completed=done, total=of)
