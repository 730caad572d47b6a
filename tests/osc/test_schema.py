"""What others read of the table is the table."""

import importlib.util
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from audiobend.bending import Patch
from audiobend.control import Context
from audiobend.osc.addresses import Table
from audiobend.osc.clients import client_files, surface
from audiobend.osc.schema import schema
from audiobend.osc.server import OscServer
from tests.osc.conftest import make_context

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("make_osc", ROOT / "docs" / "make_osc.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def default_context():
    from audiobend.io.modelbundle import load_model

    return Context.of_model(load_model())


def test_page_and_data_are_fresh(generator, default_context):
    assert generator.PAGE.read_text() == generator.page(default_context), "run python docs/make_osc.py"
    assert generator.DATA.read_text() == generator.data(default_context), "run python docs/make_osc.py"


def test_files_for_other_programs_are_fresh(generator, default_context):
    for name, content in client_files(surface(default_context)).items():
        kept = (generator.SCHEMAS / name).read_bytes()
        if name.endswith(".tosc"):    # the same text may be packed in several ways
            kept, content = zlib.decompress(kept), zlib.decompress(content)
        assert kept == content, f"{name}: run python docs/make_osc.py"


def test_every_address_that_the_page_shows_is_there(generator, default_context):
    """Those of the tables are the table's; here those of the text, of which each is looked up."""
    table, patch = Table(default_context), Patch().add(3, "erode", id="fog")
    text = generator.PAGE.read_text().partition("{features}` is")[0]
    shown = set(re.findall(r"/audiobend/[\w/.<>-]*\w", text)) - {"/audiobend/done", "/audiobend/fail"}
    shown = {one for one in shown if "<" not in one and not one.endswith("/audiobend/bend")}
    assert len(shown) > 5
    for address in shown:
        assert table.lookup(address, patch).address == address


def test_the_data_expands_to_every_address_there_is():
    """What a client builds from the file is what the server knows, range by range."""
    context = make_context()
    document = json.loads(json.dumps(schema(context)))
    found = {}
    for entry in document["addresses"]:
        for address in expanded(entry["path"], document):
            found[address] = entry
    table = Table(context)
    known = {leaf.address: leaf.row for leaf in table.leaves(Patch())}
    assert found.keys() == known.keys()
    for address, row in known.items():
        entry = found[address]
        assert (entry["types"], entry["access"], entry.get("default")) == (row.types, row.access, row.default), address
        if row.kind == "number":
            assert (entry["min"], entry["max"]) == (row.param.low, row.param.high)


def expanded(path, document):
    if "{layer}" in path:
        for layer in document["layers"]:
            choices = ["all", *(f"cluster/{k}" for k in range(len(layer["clusters"])))]
            for features in choices:
                yield path.replace("{layer}", layer["layer"]).replace("{features}", features)
    elif "{axis}" in path:
        yield from (path.replace("{axis}", str(axis)) for axis in range(document["axes"]))
    elif "{macro}" in path:
        yield from (path.replace("{macro}", str(number)) for number in range(1, 17))
    elif "{id}" not in path:
        yield path


def run(*words):
    return subprocess.run([sys.executable, "-c", "from audiobend.cli import main; main()", *words],
                          capture_output=True, text=True)


@pytest.mark.slow
def test_the_command_line_lists_sends_and_monitors(desk, tiny_bundle):
    listed = run("osc", "list", "--json", "--model", str(tiny_bundle))
    assert json.loads(listed.stdout)["layers"][0]["layer"] == "e1"
    with OscServer(desk, port=0) as server:
        port = str(server.port)
        assert run("osc", "send", "/audiobend/gain", "-6", "--port", port).stdout == ""
        assert desk.state.gain_db == -6
        assert run("osc", "send", "/audiobend/gain", "--port", port).stdout == "/audiobend/gain -6.0\n"
        wrong = run("osc", "send", "/audiobend/gian", "1", "--port", port)
        assert wrong.returncode == 2 and "did you mean '/audiobend/gain'?" in wrong.stderr
        assert wrong.stderr.startswith("audiobend: ") and wrong.stderr.count("\n") == 1
        quiet = run("osc", "monitor", "--seconds", "0.2", "--port", port)
        assert quiet.returncode == 0 and quiet.stdout == ""
    nobody = run("osc", "send", "/audiobend/ping", "--port", port)
    assert nobody.returncode == 2 and "nobody answers" in nobody.stderr
