"""The web app of the review page: who may come in, which headers go out, and how a mistake is told.

Made for any server: ``admit`` says who is asking, so that the app knows no Airflow (``plugins/`` does).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from pipelines.decisions.database import StoreUnavailableError
from pipelines.decisions.statement import DecisionRefusedError
from pipelines.review.desk import acts, clusters, merges, pages, practice
from pipelines.review.desk.frame import Admit, Desk, show
from pipelines.review.desk.people import NobodyError
from pipelines.review.page import TEMPLATES
from pipelines.review.published import NoReportError
from pipelines.settings import Settings, SettingsError
from pipelines.unforeseen import whereabouts
from pipelines.warehouse import WarehouseBusyError

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
MOST_BYTES = 64 * 1024

_STYLES = ("report.css", "plan.css", "case.css", "desk/desk.css")
_TITLES = {
    400: "That cannot be taken",
    401: "Please sign in",
    403: "You may not do this",
    404: "There is nothing here",
    409: "Something has changed meanwhile",
    413: "That is too much",
    429: "Too many searches",
    500: "Something went wrong",
    503: "It does not work at the moment",
}


def make_app(settings: Callable[[], Settings], admit: Admit, provider: str = "") -> FastAPI:
    """The app over the home that ``settings`` gives at each request."""
    app = FastAPI(title="oneclient review", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.desk = Desk(settings, admit, provider)
    app.state.files = _files()
    app.include_router(pages.router)
    app.include_router(acts.router)
    app.include_router(clusters.router)
    app.include_router(practice.router)
    app.include_router(merges.router)
    app.get("/static/{name}")(_static)
    app.middleware("http")(_guarded)
    for error, status in _ERRORS.items():
        app.exception_handler(error)(_handler(status))
    app.exception_handler(OSError)(_handler(503, _NO_DISK))
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(RequestValidationError)(_handler(404, "The address is not one of this page."))
    return app


async def _guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """The headers of every answer; no form from another site, or that is too long; no error's text in a log."""
    if request.method not in {"GET", "HEAD"}:
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return _with_headers(_told(request, 413, "The form is too long. Shorten the reason and send it again."))
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return _with_headers(_told(request, 403, "This form was sent from another site. Nothing was done."))
    try:
        return _with_headers(await call_next(request))
    except Exception as error:
        log.error("the review page failed: %s", whereabouts(error))
        return _with_headers(_told(request, 500, _FAILED))


def _with_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _told(request: Request, status: int, words: str) -> HTMLResponse:
    title = _TITLES.get(status, "Something went wrong")
    return show(request, "told", status, title=title, words=words, code=status)


def _handler(status: int, words: str = "") -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        return _told(request, status, words or str(error))

    return handle


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    words = {
        401: "Sign in to Airflow, then open this page again.",
        404: "Go back to the queue.",
        405: "Go back to the queue.",
    }
    told = _told(request, error.status_code, words.get(error.status_code, error.detail))
    told.headers.update(error.headers or {})
    return told


def _static(request: Request, name: str) -> Response:
    """The style and the script; they hold no data, so anybody may have them."""
    if name not in request.app.state.files:
        raise HTTPException(404)
    media, content = request.app.state.files[name]
    return Response(content, media_type=media, headers={"Cache-Control": "max-age=300"})


def _files() -> dict[str, tuple[str, str]]:
    style = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in _STYLES)
    script = (TEMPLATES / "desk" / "desk.js").read_text(encoding="utf-8")
    icon = (TEMPLATES / "desk" / "icon.svg").read_text(encoding="utf-8")
    return {
        "desk.css": ("text/css", style),
        "desk.js": ("text/javascript", script),
        "icon.svg": ("image/svg+xml", icon),
    }


_NO_DISK = (
    "The home cannot be read, or a look cannot be written down, so nothing is shown. Ask whoever runs oneclient to see "
    "that the disk of its home is there, is not full, and may be written to."
)
_FAILED = (
    "The page failed, and nothing was recorded. Open it again; if it fails again, ask whoever runs oneclient to look "
    "into the log of the API server."
)
_ERRORS: dict[type[Exception], int] = {
    DecisionRefusedError: 400,
    NobodyError: 403,
    NoReportError: 404,
    SettingsError: 503,
    StoreUnavailableError: 503,
    WarehouseBusyError: 503,
}
