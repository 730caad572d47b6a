"""Who may use the page: by the name of this machine, from its own pages, and from elsewhere with a token."""

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from audiobend.osc.gate import is_own_name, is_same_origin
from audiobend.page.tokens import is_loopback, new_token

COOKIE = "audiobend"
MAX_VISITORS = 64

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), midi=(self), camera=(), geolocation=()",
    "Cache-Control": "no-cache",
}


def policy(host: str) -> str:
    """Return the Content-Security-Policy of a page that was asked for by that ``Host``: nothing but its own files."""
    return (
        f"default-src 'self'; connect-src 'self' ws://{host} wss://{host}; img-src 'self' data: blob:; "
        "media-src 'self' blob:; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


class Guard:
    """Lets in loopback, and others once with a token, then by a cookie.

    A token is used up by the first who comes with it; `invite` gives another.

    Parameters
    ----------
    token : str
        The first token; none are given out where it is empty.
    """

    def __init__(self, token: str) -> None:
        self._tokens = {token} if token else set()
        self._visitors: list[str] = []

    def invite(self) -> str:
        """Return a token for one more visitor."""
        token = new_token()
        self._tokens = {token, *list(self._tokens)[: MAX_VISITORS - 1]}
        return token

    @web.middleware
    async def checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what is not meant for us; see `web.middleware`."""
        wrong = self._wrong(request)
        if wrong:
            return web.Response(status=403, text=wrong, headers=_HEADERS)
        visitor = self._visitor(request)
        if visitor is None:
            text = "a token is needed from another machine: open the address that audiobend shows, with ?token=..."
            return web.Response(status=401, text=text, headers=_HEADERS)
        if visitor:    # the token leaves the address line, so that it is not copied with it
            response = web.Response(status=303, headers={"Location": request.path, **_HEADERS})
            response.set_cookie(COOKIE, visitor, httponly=True, samesite="Strict", path="/")
            return response
        return await handler(request)

    def _wrong(self, request: web.Request) -> str:
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin", "")
        if not is_own_name(host):
            return "this name is not this machine's; use its IP address, or localhost"
        is_change = request.method not in ("GET", "HEAD") or request.headers.get("Upgrade", "") != ""
        if is_change and not is_same_origin(origin, host):
            return "only pages of audiobend itself may do this"
        return ""

    def _visitor(self, request: web.Request) -> str | None:
        """Return an empty text for who may pass, a new visitor's secret for who has a token, None for others."""
        if is_loopback(request.remote or ""):
            return ""
        known = request.cookies.get(COOKIE, "")
        if any(secrets.compare_digest(known, one) for one in self._visitors):
            return ""
        given = request.query.get("token", "")
        token = next((one for one in self._tokens if secrets.compare_digest(given.encode(), one.encode())), None)
        if token is None or request.method != "GET":
            return None
        self._tokens.discard(token)
        self._visitors = [*self._visitors[1 - MAX_VISITORS :], new_token()]
        return self._visitors[-1]


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the policy on a response that is about to be sent; a signal of aiohttp."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Content-Security-Policy"] = policy(request.headers.get("Host", ""))
