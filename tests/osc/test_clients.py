"""Files for other programs: sound in themselves, and with a control for everything there is.

What can run here runs here: Pure Data and SuperCollider open their files and play. The messages of the others are read
from their files, and sent from Pure Data.
"""

import json
import struct
import xml.etree.ElementTree as ET
import zlib
from collections import defaultdict

import pytest

from audiobend.bending import Patch
from audiobend.control import Set
from audiobend.errors import ControlError
from audiobend.osc.addresses import Table
from audiobend.osc.clients import FORMATS, client_files, surface
from audiobend.osc.clients.max import max_patch
from audiobend.osc.clients.max_for_live import SLOTS, live_device
from audiobend.osc.clients.max_patcher import ports
from audiobend.osc.clients.pd import pd_patch
from audiobend.osc.clients.touchosc import touchosc_layout
from audiobend.osc.server import OscServer
from tests.osc.conftest import make_context
from tests.osc.pd_rig import Pd
from tests.osc.test_peers import eventually, needs

CONTEXT = make_context()
SURFACE = surface(CONTEXT)
TABLE = Table(CONTEXT)
FLAT = [one for section in SURFACE.transforms for one in section.controls]


def expected(share):
    """Addresses of every switch and number at every place; numbers by their share 0..1 where ``share``."""
    ends = [(one.share or one.path) if share else one.path for one in FLAT if one.kind in ("switch", "number")]
    return {f"/audiobend/{place.path}/{end}" for place in SURFACE.places for end in ends}


def middle(control):
    """A value that is not the default."""
    if control.kind == "switch":
        return 1
    value = (control.low + 3 * control.high) / 4
    return round(value) if control.integer else value


def test_a_surface_has_every_place_and_every_transform():
    assert [one.path for one in SURFACE.places[:3]] == ["layer/1/all", "layer/1/cluster/0", "layer/1/cluster/1"]
    assert len(SURFACE.places) == 3 * 3 + 1
    assert [section.name for section in SURFACE.transforms] == list(CONTEXT.transforms)
    for section in SURFACE.transforms:
        names = [one.path for one in section.controls if one.kind == "number"]
        assert names == [f"{section.name}/{name}" for name in ("mix", *(p.name for p in
                                                               CONTEXT.transforms[section.name].params))]


def test_every_control_has_an_address():
    for section in (*SURFACE.whole, *SURFACE.axis_sections()):
        for one in section.controls:
            assert TABLE.lookup(f"/audiobend/{one.path}", Patch())
            assert not one.share or TABLE.lookup(f"/audiobend/{one.share}", Patch())


def test_an_unknown_format_is_one_sentence():
    with pytest.raises(ControlError, match="did you mean 'max'"):
        client_files(SURFACE, ["maxx"])


# Max


@pytest.fixture(scope="module", params=["max", "m4l"])
def patcher(request):
    document = json.loads(max_patch(SURFACE)) if request.param == "max" else read_amxd(live_device(SURFACE))
    return document["patcher"]


def read_amxd(data):
    """Read a device chunk by chunk."""
    chunks, position = {}, 0
    while position < len(data):
        name, (size,) = data[position : position + 4], struct.unpack_from("<I", data, position + 4)
        chunks[name] = data[position + 8 : position + 8 + size]
        position += 8 + size
    assert position == len(data)
    assert list(chunks) == [b"ampf", b"meta", b"ptch"] and chunks[b"ampf"] == b"aaaa"
    assert chunks[b"ptch"].endswith(b"\n\0")
    return json.loads(chunks[b"ptch"][:-1])


def boxes(patcher):
    return {one["box"]["id"]: one["box"] for one in patcher["boxes"]}


def test_every_cord_of_a_patcher_joins_an_outlet_to_an_inlet_that_is_there(patcher):
    known = boxes(patcher)
    assert len(known) == len(patcher["boxes"])
    for one in patcher["lines"]:
        (source, outlet), (target, inlet) = one["patchline"]["source"], one["patchline"]["destination"]
        assert 0 <= outlet < known[source]["numoutlets"], (known[source], outlet)
        assert 0 <= inlet < known[target]["numinlets"], (known[target], inlet)
    for box in known.values():
        if box["maxclass"] == "newobj":
            assert (box["numinlets"], box["numoutlets"]) == ports(box["text"])


def test_what_is_seen_of_a_patcher_does_not_lie_on_top_of_each_other(patcher):
    rects = [one["presentation_rect"] for one in boxes(patcher).values()
             if one.get("presentation") and "comment" not in one["maxclass"]]
    for n, (x, y, w, h) in enumerate(rects):
        for x2, y2, w2, h2 in rects[:n]:
            assert x >= x2 + w2 or x2 >= x + w or y >= y2 + h2 or y2 >= y + h, ((x, y, w, h), (x2, y2, w2, h2))


class Read:
    """The graph of a patcher: what its controls send, by following cords as Max would."""

    def __init__(self, patcher):
        self.boxes = boxes(patcher)
        self.next, self.before = defaultdict(list), defaultdict(list)
        for one in patcher["lines"]:
            (source, outlet), (target, inlet) = one["patchline"]["source"], one["patchline"]["destination"]
            self.next[source, outlet].append((target, inlet))
            self.before[target, inlet].append((source, outlet))

    def text(self, id):
        return self.boxes[id].get("text", "")

    def sources(self, id, inlet=0):
        return [source for source, _ in self.before[id, inlet]]

    def addresses(self):
        """For each control box that sends: the address it begins with, and all it can have."""
        for id in self.boxes:
            if not self.text(id).startswith("prepend /audiobend/"):
                continue
            named = [one for one in self.sources(id) if self.text(one).startswith("sprintf set")]
            control = next(one for one in self.sources(id) if one not in named)
            assert any(self.text(target).startswith("s ") for target, _ in self.next[id, 0])
            first = self.text(id).removeprefix("prepend ")
            yield control, first, self._filled(named[0]) if named else {first}

    def _filled(self, named):
        """What a ``sprintf`` can say: with each place, or with each pair of entries of two menus."""
        template = self.text(named).removeprefix("sprintf set ")
        if template.count("%s") == 1:
            return {template.replace("%s", place.path) for place in SURFACE.places}
        (both,) = self.sources(named)
        where, what = ([one for one in self.boxes[menu]["items"] if one != ","]
                       for inlet in (0, 1) for menu in self.sources(both, inlet))
        return {template.replace("%s", a, 1).replace("%s", b) for a in where for b in what}


def test_a_patcher_sends_to_addresses_that_are_there_and_reaches_all(patcher):
    read, reached = Read(patcher), set()
    for control, first, found in read.addresses():
        assert first in found and (read.boxes[control].get("presentation") or read.text(control) == "fromsymbol")
        reached |= found
    missing = expected(share=False) - reached
    assert not missing or not expected(share=True) - reached
    for address in reached:
        assert TABLE.lookup(address, Patch()), address


def test_a_control_of_a_patcher_shows_what_comes_for_the_address_it_sends_to(patcher):
    """Beside each prepend there is a receive that has the same name, and leads to the same control."""
    read, n = Read(patcher), 0
    for id in read.boxes:
        if read.text(id) != "receive":
            continue
        (named,) = read.sources(id)
        ((prefix, _),) = [to for to in read.next[named, 0] if read.text(to[0]).startswith("prepend /audiobend/")]
        controls = {one for one in read.sources(prefix) if one != named}
        ((shown, _),) = read.next[id, 0]
        assert read.text(shown) == "prepend set" and {target for target, _ in read.next[shown, 0]} == controls
        n += 1
    assert n in (len(FLAT), 2 * SLOTS)


def test_parameters_of_a_device_have_names_of_their_own_and_ranges():
    document = read_amxd(live_device(SURFACE))["patcher"]
    names = [names[0] for id, names in document["parameters"].items() if id.startswith("obj-")]
    assert len(set(names)) == len(names) >= 4 * SLOTS
    for box in boxes(document).values():
        if box["maxclass"] == "live.menu":
            value = box["saved_attribute_attributes"]["valueof"]
            assert value["parameter_mmax"] == len(value["parameter_enum"]) - 1
    sound = {box["text"] for box in boxes(document).values() if "~" in box.get("text", "")}
    assert sound == {"plugin~", "plugout~"}


@needs("pd")
@pytest.mark.parametrize("kind", ["max", "m4l"])
def test_the_messages_of_a_patcher_sent_from_pure_data_change_the_state(kind, desk, tmp_path):
    patcher = json.loads(max_patch(SURFACE)) if kind == "max" else read_amxd(live_device(SURFACE))
    by_address = {f"/audiobend/{place.path}/{path}": one for place in SURFACE.places for one in FLAT
                  for path in {one.path, one.share} if path}
    addresses = sorted({one for _, _, found in Read(patcher["patcher"]).addresses() for one in found})
    played = [one for one in addresses if one in by_address][::17]    # every transform, every place
    assert len(played) > 40
    with OscServer(desk, port=0) as server, Pd(tmp_path, server.port) as pd:
        for address in played:
            pd.osc(address, 1 if by_address[address].kind == "switch" else 0.25)
        pd.osc("/audiobend/seed", 4711)
        eventually(lambda: desk.state.seed == 4711)
        assert server.counters.failed == 0
    table = Table(desk.context)
    from audiobend.osc.values import wire_value

    for address in played:
        leaf = table.lookup(address, desk.state.patch)
        told, wanted = wire_value(leaf, desk.state), 1 if leaf.row.kind == "switch" else 0.25
        whole = leaf.row.param is not None and leaf.row.param.integer
        assert told == pytest.approx(wanted, abs=0.5 if whole else 1e-6), address


# TouchOSC


def test_a_touchosc_layout_reaches_every_switch_and_number_of_every_place():
    root = ET.fromstring(zlib.decompress(touchosc_layout(SURFACE)))
    assert root.tag == "lexml" and len(root) == 1
    ids, reached = [], set()
    for node in root.iter("node"):
        ids.append(node.get("ID"))
        assert node.get("type") in ("GROUP", "PAGER", "LABEL", "BUTTON", "FADER")
        for osc in node.iter("osc"):
            if osc not in list(node.find("messages") or ()):
                continue
            (address,) = (one.findtext("value") for one in osc.find("path"))
            kind = TABLE.lookup(address, Patch()).row.kind
            assert (node.get("type") == "FADER") == (kind in ("number", "norm"))
            reached.add(address)
    assert len(set(ids)) == len(ids)
    assert expected(share=True) <= reached


def test_controls_of_a_touchosc_layout_lie_inside_their_page_and_apart():
    root = ET.fromstring(zlib.decompress(touchosc_layout(SURFACE)))
    for node in root.iter("node"):
        children = node.find("children")
        if children is None or node.get("type") == "PAGER" or any(one.get("type") == "PAGER" for one in children):
            continue
        _, _, width, height = frame(node)
        rects = [frame(one) for one in children if one.get("type") != "LABEL"]
        for n, (x, y, w, h) in enumerate(rects):
            assert x >= 0 and y >= 0 and x + w <= width and y + h <= height and w > 10 and h > 10
            assert all(x >= a + c or a >= x + w or y >= b + d or b >= y + h for a, b, c, d in rects[:n])


def frame(node):
    value = next(one for one in node.find("properties") if one.findtext("key") == "frame").find("value")
    return tuple(int(value.findtext(key)) for key in "xywh")


# Pure Data


@needs("pd")
def test_the_pure_data_patch_plays_every_transform_and_every_place(desk, tmp_path):
    names = ["audiobend/erode/radius/see", "audiobend/gain/see"]
    with OscServer(desk, port=0) as server:
        patch = pd_patch(surface(CONTEXT, port=server.port))
        with Pd(tmp_path, server.port, {"audiobend.pd": patch}, names) as pd:
            pd.until_printed("audiobend/gain/see: set 0")    # it has asked for everything by itself
            pd.to("audiobend.place", 4)
            for one in FLAT:
                if one.kind in ("switch", "number"):
                    pd.to(f"audiobend/{one.path}", middle(one))
            for n in range(len(SURFACE.places)):
                pd.to("audiobend.place", n)
                pd.to("audiobend/ablate", 1)
            for section in SURFACE.whole:
                for one in section.controls:
                    if one.kind in ("switch", "number") and not {"morph", "pad", "seed"} & set(one.path.split("/")):
                        pd.to(f"audiobend/{one.path}", middle(one))
            pd.to("audiobend/scene/save", "low")
            pd.to("audiobend/seed", 4711)
            eventually(lambda: desk.state.seed == 4711)
            assert server.counters.failed == 0
            state = desk.state
            for section in SURFACE.transforms:
                bend = state.patch.bend(f"layer2.cluster0.{section.name}")
                assert bend.on
                for one in section.controls:
                    if one.kind == "number":
                        told = bend.mix if one.name == "mix" else bend.params[one.name]
                        assert told == pytest.approx(middle(one), rel=1e-5), one
            for place in SURFACE.places:
                id = place.path.replace("layer/", "layer", 1).replace("cluster/", "cluster").replace("/", ".")
                assert state.patch.bend(f"{id}.ablate").on
            assert "low" in state.scenes and state.mix == 0.75 and state.gain_db == 3
            pd.to("audiobend.place", 4)
            pd.until_printed("audiobend/erode/radius/see: set 24")
            desk.apply([Set("layer2.cluster0.erode/radius", 9)])
            pd.until_printed("audiobend/erode/radius/see: set 9")
            told = [line for line in list(pd.printed.queue) if "error" in line or "couldn't" in line]
    assert told == []


# All of them


def test_the_command_writes_them_and_replaces_no_changed_file(audiobend, tiny_bundle, tmp_path):
    status, out, _ = audiobend("osc", "clients", tiny_bundle, "--out", "mine", "--format", "pd,max", "--port", 9100)
    assert status == 0 and out.split() == ["mine/audiobend.pd", "mine/audiobend.maxpat"]
    patch = tmp_path / "mine" / "audiobend.pd"
    assert "connect 127.0.0.1 9100" in patch.read_text()
    assert audiobend("osc", "clients", tiny_bundle, "--out", "mine", "--format", "pd", "--port", 9100)[0] == 0
    patch.write_text("changed")
    status, _, told = audiobend("osc", "clients", tiny_bundle, "--out", "mine", "--format", "pd")
    assert status == 2 and "add --overwrite" in told and patch.read_text() == "changed"
    assert audiobend("osc", "clients", tiny_bundle, "--out", "mine", "--format", "pd", "--overwrite")[0] == 0
    assert audiobend("osc", "clients", tiny_bundle, "--format", "pdf")[0] == 2


def test_files_of_the_default_model_have_all_its_places():
    from audiobend.control import Context
    from audiobend.io.modelbundle import load_model

    context = Context.of_model(load_model())
    made = surface(context)
    assert len(made.places) == len(context.layers) + sum(context.n_clusters(one.name) for one in context.layers)
    files = client_files(made)
    assert files.keys() == {name for name, _ in FORMATS.values()}
    assert max(map(len, files.values())) < 400_000
