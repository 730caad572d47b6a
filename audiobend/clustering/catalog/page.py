"""The catalog's page: one static file that opens from disk, its data inside of it."""

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from audiobend.clustering.catalog.store import Part

TEMPLATE = "page.html"
_POLICY, _STYLE, _SCRIPT, _DATA = "POLICY", "STYLE", "SCRIPT", "DATA"


def page(content: Mapping[str, Any], parts: Mapping[str, Part], pictures: Mapping[str, str], patch: str) -> str:
    """Return the page of a catalog.

    Parameters
    ----------
    content : mapping
        As `audiobend.clustering.catalog.tables.document` gives it.
    parts : mapping from entry id to Part
        With pictures.
    pictures : mapping
        Of the references, by name.
    patch : str
        The file with the bends that differ most.

    Labels and names come from files: the script puts them into the page as text only, and the page's policy lets no
    other script run.
    """
    room = files("audiobend.clustering.catalog")
    style, script = (room.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    drawn = {id: part.picture for id, part in parts.items()} | dict(pictures)
    data = json.dumps({**content, "pictures": drawn, "patch": patch}, ensure_ascii=False, separators=(",", ":"))
    safe = data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    text = room.joinpath(TEMPLATE).read_text(encoding="utf-8")
    # The data come last, so that nothing in them is taken for a mark.
    pieces = {_POLICY: _policy(script, style), _STYLE: style, _SCRIPT: script, _DATA: safe}
    for mark, piece in pieces.items():
        before, found, after = text.partition(f"{{{{{mark}}}}}")
        assert found, f"the template has no {mark}"
        text = before + piece + after
    return text


def _policy(script: str, style: str) -> str:
    codes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in (script, style)]
    return (
        f"default-src 'none'; script-src 'sha256-{codes[0]}'; style-src 'sha256-{codes[1]}'; img-src data:; "
        "media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )
