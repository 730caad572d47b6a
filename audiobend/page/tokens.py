"""Who is on this machine, and what lets in who is not."""

import ipaddress
import secrets

TOKEN_BYTES = 18


def is_loopback(address: str) -> bool:
    """Return whether an IP address is this machine's own.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("192.0.2.7"), is_loopback("")
    (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def new_token() -> str:
    """Return a word that nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)
