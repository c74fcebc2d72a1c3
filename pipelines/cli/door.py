"""What every command is made with: its options, its errors as one clear line, its answer in words or in JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

from pipelines import __version__
from pipelines.cli import completing
from pipelines.disk import disk_trouble
from pipelines.settings import home_of
from pipelines.troubles import FOUND_A_PROBLEM, TROUBLES, WRONG_USE, KnownError, Trouble, told
from pipelines.unforeseen import unforeseen

P = ParamSpec("P")
Day = click.DateTime(formats=["%Y-%m-%d"])

__all__ = ["FOUND_A_PROBLEM", "WRONG_USE", "Day", "answer", "at_work", "command", "main", "progress"]


class Door(click.Group):
    """The command line. At its edge every error becomes one line with its code, and an exit code; with ``--json`` it is
    JSON on the standard output, too: ``{"error": {"code", "message", "see"}}``."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **more: Any) -> NoReturn:
        """Run a command and end the process, as click does by itself."""
        given = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in given
        try:
            sys.exit(super().main(given, *others, **{**more, "standalone_mode": False}))
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            if ctx := getattr(error, "ctx", None):
                click.echo(f"{ctx.get_usage()}\nTry '{ctx.command_path} --help' for help.\n", err=True)
            _end(TROUBLES["U1"], error.format_message(), as_json)
        except click.Abort:
            click.echo("oneclient: stopped.", err=True)
            sys.exit(FOUND_A_PROBLEM)
        except KnownError as error:
            known = error if error.trouble.exit_code == WRONG_USE else disk_trouble(error) or error
            _end(known.trouble, str(known), as_json)
        except (FileNotFoundError, FileExistsError) as error:
            _end(TROUBLES["U2" if isinstance(error, FileNotFoundError) else "U3"], str(error), as_json)
        except Exception as error:
            known = disk_trouble(error) or unforeseen(error)
            _end(known.trouble, str(known), as_json)


def _end(trouble: Trouble, message: str, as_json: bool) -> NoReturn:
    if as_json:
        said = {"code": trouble.code, "message": message, "see": trouble.see}
        click.echo(json.dumps({"error": said}, indent=2, ensure_ascii=False))
    click.echo(f"oneclient: {told(trouble, message)}", err=True)
    sys.exit(trouble.exit_code)


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="oneclient")
@click.option("-v", "--verbose", is_flag=True, help="Say what is being done.")
def main(verbose: bool) -> None:
    """One person, one client record."""
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(name)s: %(message)s", datefmt="%Y-%m-%d %H:%M:%S %z")


def command(function: Callable[P, None], group: click.Group | None = None, name: str | None = None) -> click.Command:
    """A command with ``--home`` or ``--provider``, and ``--json``."""

    @click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="The provider's home folder.")
    @click.option(
        "--provider", shell_complete=completing.providers,
        help="Instead of --home: a provider's name in the list of providers.",
    )  # fmt: skip
    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON; an error, too.")
    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        if (provider := kwargs.pop("provider")) is not None:
            if kwargs["home"]:
                raise click.UsageError("Say --home or --provider, not both.")
            kwargs["home"] = home_of(str(provider))
        function(*args, **kwargs)

    return (group or main).command(name)(run)


def answer(data: Any, as_json: bool, show: Callable[[], None]) -> None:
    """Answer in JSON if it was asked for, else show."""
    if as_json:
        click.echo(json.dumps(data, indent=2, default=str, ensure_ascii=False))
    else:
        show()


Told = Callable[[str, int, int], None]


@contextmanager
def progress(*, quiet: bool) -> Iterator[Told]:
    """A progress bar on a terminal, as a function of step, done and of how many (0 or 1: nobody knows how far)."""
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(), *Progress.get_default_columns()[:-1], TimeElapsedColumn(),
        console=console, transient=True, disable=quiet or not console.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("starting", total=None)
        yield lambda step, done, of: bar.update(task, description=step, completed=done, total=of if of > 1 else None)


@contextmanager
def at_work(step: str, *, quiet: bool) -> Iterator[None]:
    """A bar on a terminal for work of which nobody knows how far it has come."""
    with progress(quiet=quiet) as told:
        told(step, 0, 0)
        yield
