"""A file for SuperCollider's language: `supercollider_file`. Evaluated, it makes ``~audiobend``, with a window."""

from audiobend.osc.clients.surface import Control, Surface
from audiobend.osc.encode import ROOT

_BODY = """
    // Send: ~audiobend.tell("gain", -6); ~audiobend.tell("scene/morph", "low", "high", 0.3);
    tell: { |self, path ... args| self.address.sendMsg("@ROOT@/" ++ path, *args); self },

    // Ask for a value; it is kept, by its address, when it comes.
    ask: { |self, path| self.tell(path) },
    heard: { |self, path| self.kept[("@ROOT@/" ++ path).asSymbol] },

    // One transform at one place, which is a number of the list of places, or a path such as "layer/3/cluster/1":
    // ~audiobend.turn(0, \\erode, true); ~audiobend.adjust(0, \\erode, \\radius, 3);
    turn: { |self, place, transform, on = true|
        self.tell(self.pathOf(place) ++ "/" ++ transform, on.binaryValue)
    },
    adjust: { |self, place, transform, number, value|
        self.tell(self.pathOf(place) ++ "/" ++ transform ++ "/" ++ number, value)
    },
    pathOf: { |self, place| if(place.isKindOf(Integer)) { self.places[place].value } { place.asString } },

    panic: { |self| self.tell("panic") },

    // Hear of every change from now on. (What is a function is read by its key, or it would be called.)
    subscribe: { |self|
        thisProcess.removeOSCRecvFunc(self[\\receiver]);
        self[\\receiver] = { |message, time, from|
            if(message[0].asString.beginsWith("@ROOT@/")) {
                self.kept[message[0]] = if(message.size > 2) { message[1..] } { message[1] };
                { self[\\shown].value(message[0], message[1]) }.defer;
            }
        };
        thisProcess.addOSCRecvFunc(self[\\receiver]);
        self.tell("notify", 1, NetAddr.langPort);
        self.tell("*")
    },
    end: { |self| self.tell("notify", 0); thisProcess.removeOSCRecvFunc(self[\\receiver]); self },

    // A window: a place above, the transforms below it, the whole sound on the right.
    window: { |self|
        var place, widgets = IdentityDictionary.new, askAll, here, row, view, fill;
        here = { |end| (self.places[place.value].value ++ "/" ++ end) };
        askAll = { self.tell(here.("*")); self.tell(here.("*/*")) };
        fill = { |path, key, spec, name|
            var made;
            made = case
                { spec == \\switch } { CheckBox().action_({ |box| self.tell(path.(), box.value.binaryValue) }) }
                { spec == \\button } { Button().states_([[name]]).action_({ self.tell(path.()) }) }
                { spec == \\text } {
                    TextField().action_({ |box|
                        var words = box.string.split($ ).reject(_.isEmpty);
                        words = words.collect { |one| if("^[-.0-9]+$".matchRegexp(one)) { one.asFloat } { one } };
                        self.tell(path.(), *words)
                    })
                }
                { NumberBox().clipLo_(spec[0]).clipHi_(spec[1]).value_(spec[2]).scroll_step_((spec[1] - spec[0]) / 100)
                    .maxDecimals_(3).action_({ |box| self.tell(path.(), box.value) }) };
            widgets[key.asSymbol] = made.toolTip_(name);
            made
        };
        view = View();
        place = PopUpMenu().items_(self.places.collect(_.key)).action_(askAll);
        row = self.transforms.collect { |entry|
            HLayout(*([StaticText().string_(entry.key).minWidth_(110)] ++ entry.value.collect { |number|
                fill.({ here.(number[0]) }, number[0], number[1], number[0].asString)
            } ++ [nil]))
        };
        view.layout = VLayout(*([place] ++ row ++ [nil]));
        self[\\shown] = { |address, value|
            var end = address.asString, prefix = "@ROOT@/" ++ here.(""), whole = "@ROOT@/", box;
            end = if(end.beginsWith(prefix)) { end.drop(prefix.size) } { "whole:" ++ end.drop(whole.size) };
            box = widgets[end.asSymbol];
            if(box.notNil) { box.tryPerform(\\value_, if(box.isKindOf(CheckBox)) { value == 1 } { value }) };
        };
        self.shownWindow = Window("audiobend: @MODEL@", Rect(80, 80, 1100, 820), scroll: true).layout_(HLayout(
            view,
            VLayout(*(self.whole.collect { |entry|
                HLayout(StaticText().string_(entry[0]).minWidth_(140),
                    fill.({ entry[0] }, "whole:" ++ entry[0], entry[1], entry[0]))
            } ++ [nil]))
        )).onClose_({ self[\\shown] = nil }).front;
        self.widgets = widgets;
        self.subscribe;
        askAll.();
        self
    },
"""


def supercollider_file(surface: Surface) -> str:
    """Return the text of a ``.scd`` file."""
    places = ",\n".join(f"        {_text(one.label)} -> {_text(one.path)}" for one in surface.places)
    transforms = ",\n".join(
        f"        {_text(one.name)} -> [{', '.join(map(_entry, one.controls))}]" for one in surface.transforms
    )
    sections = (*surface.whole, *surface.axis_sections())
    whole = ",\n".join(f"        {_entry(one)}" for section in sections for one in section.controls)
    body = _BODY.replace("@ROOT@", ROOT).replace("@MODEL@", surface.model)
    return (
        f"// audiobend, model {surface.model}. Evaluate all of it, then: ~audiobend.window;\n"
        f"// Written by audiobend osc clients.\n(\n~audiobend = (\n"
        f"    address: NetAddr({_text(surface.host)}, {surface.port}),\n    kept: IdentityDictionary.new,\n"
        f"    places: [\n{places}\n    ],\n    transforms: [\n{transforms}\n    ],\n    whole: [\n{whole}\n    ],\n"
        f"{body});\n)\n"
    )


def _entry(control: Control) -> str:
    """Return a control as SuperCollider has it: its path, and what it is, or its range and default."""
    kind = f"\\{control.kind}"
    numbers = f"[{control.low:.10g}, {control.high:.10g}, {control.default:.10g}]"
    return f"[{_text(control.path)}, {numbers if control.kind == 'number' else kind}]"


def _text(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
