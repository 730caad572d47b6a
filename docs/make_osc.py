"""Write the tables of docs/osc.md and the files of osc_schemas from the table of addresses; a test fails when stale.

    python docs/make_osc.py
"""

import json
from pathlib import Path

from audiobend.control import Context
from audiobend.io.modelbundle import load_model
from audiobend.osc.clients import client_files, surface
from audiobend.osc.schema import markdown, schema

PAGE = Path(__file__).parent / "osc.md"
SCHEMAS = Path(__file__).parents[1] / "osc_schemas"
DATA = SCHEMAS / "audiobend.json"
MARK = "<!-- From here on written by docs/make_osc.py -->\n"


def page(context: Context) -> str:
    """Return the whole page: the written part as it is, and the tables."""
    written, _, _ = PAGE.read_text().partition(MARK)
    return f"{written}{MARK}\n{markdown(context)}"


def data(context: Context) -> str:
    """Return the text of the JSON file."""
    return json.dumps(schema(context), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    of_default = Context.of_model(load_model())
    PAGE.write_text(page(of_default))
    DATA.write_text(data(of_default))
    for name, content in client_files(surface(of_default)).items():
        (SCHEMAS / name).write_bytes(content)
