"""Is this home in good health, and what it is served by? Each check says what it found and what to do next.

``installation`` asks for the versions that are installed, ``airflow`` for what runs the nights; ``home`` looks at the
files of a home, and ``stores`` into its warehouse and its decisions. None of them changes what is kept.
"""

from __future__ import annotations

from pipelines.decisions.database import StoreUnavailableError
from pipelines.decisions.store import open_decisions
from pipelines.doctor import home, stores
from pipelines.doctor.finding import Finding
from pipelines.providers import Provider
from pipelines.settings import Settings, SettingsError, listed_providers, load_settings

__all__ = ["Finding", "examine", "examine_installation", "examine_providers"]


def examine(settings: Settings) -> list[Finding]:
    """Every check of a home, in the order in which one would mend them."""
    spark = [home.spark()] if settings.match.engine == "spark" else []
    return [*(check(settings) for check in home.CHECKS), *spark, *stores.examine(settings)]


def examine_installation() -> list[Finding]:
    """Every check of what serves the homes: the versions that are installed, and Airflow where it is set up."""
    from pipelines.doctor import airflow, installation  # noqa: PLC0415 - a home can be examined without either

    return [installation.versions(), *airflow.examine()]


def examine_providers() -> list[Finding]:
    """Whether each provider can be served: its settings, its key, and a decision store that is its own.

    Raises SettingsError for a list that cannot be used.
    """
    return [_served(provider) for provider in listed_providers()]


def _served(provider: Provider) -> Finding:
    check = provider.name or "the only provider"
    try:
        settings = load_settings(provider.home)
        with open_decisions(settings):
            return Finding(check, True, f"{settings.home}, DAG {provider.called('nightly')}, pool {provider.pool}")
    except (SettingsError, StoreUnavailableError) as error:
        return Finding(check, False, str(error), "Its runs fail until then; those of others do not.")
    except OSError as error:
        return Finding(
            check, False, f"its home cannot be used: {error.strerror}", "See that the folder can be written."
        )
