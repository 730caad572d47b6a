"""``audiobend devices | latency | doctor``: sound cards, how long sound is under way, and what stands in the way."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiobend.cli.screen import say, show_json, table
from audiobend.errors import DeviceError

if TYPE_CHECKING:
    from audiobend.live.measure import RoundTrip
    from audiobend.networks.model import Model

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
PROFILES = ("low", "balanced", "studio")


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    for verb in (devices, latency, doctor):
        app.command()(verb)


def devices(json_: Json = False) -> None:
    """List the sound cards."""
    from audiobend.live.devices import list_cards

    cards = list_cards()
    if json_:
        defaults = {"default_input": cards.default_input, "default_output": cards.default_output}
        show_json({"devices": [asdict(device) for device in cards.devices], **defaults})
        return
    if not cards.devices:
        from audiobend.live.devices import NO_DEVICE

        raise DeviceError(NO_DEVICE)
    rows = []
    for device in cards.devices:
        numbers = {"in": cards.default_input, "out": cards.default_output}
        mark = "+".join(direction for direction, number in numbers.items() if number == device.number)
        delays = "/".join("?" if ms is None else f"{ms:g}" for ms in (device.in_ms, device.out_ms))
        channels = f"{device.inputs} in, {device.outputs} out"
        rows.append([str(device.number), device.name, device.host, channels, f"{device.rate} Hz", delays, mark])
    table("Sound cards", ["number", "name", "system", "channels", "rate", "ms in/out", "default"], rows)


def latency(
    measure: Annotated[
        bool, typer.Option("--measure", help="Play a burst of noise; a cable leads it from the output to the input.")
    ] = False,
    input_device: Annotated[str | None, typer.Option(metavar="NAME|N", help="Sound card to listen to.")] = None,
    output_device: Annotated[str | None, typer.Option(metavar="NAME|N", help="Sound card to play on.")] = None,
    model: Annotated[str | None, typer.Option(help="Name of a shipped model, or a bundle's folder.")] = None,
    json_: Json = False,
) -> None:
    """Tell how long sound is under way in every profile, computed; with --measure also measured."""
    from audiobend.live.audio import Card

    trip: RoundTrip | None = None
    if measure:
        from audiobend.live.measure import round_trip

        trip = round_trip(Card(input_device, output_device))
        if trip.samples is None:
            raise DeviceError(
                f"nothing of the burst came back from {trip.output} to {trip.input}; "
                "connect the output to the input with a cable, and turn both up"
            )
    the_model = None
    if trip:
        from audiobend.io.modelbundle import load_model

        the_model = load_model(model)
    profiles = {name: _profile(name, the_model, trip) for name in PROFILES}
    if json_:
        show_json({"card": asdict(trip) if trip else None, "profiles": profiles})
        return
    if trip:
        computed = "PortAudio does not say" if trip.told is None else f"PortAudio says {1000 * trip.told:.1f} ms"
        measured = f"{trip.samples} samples, {1000 * (trip.samples or 0) / trip.rate:.1f} ms"
        say(f"{trip.output} to {trip.input}: measured {measured}; {computed}")
    rows = [
        [
            name,
            f"{one['total_ms']:.1f} ms",
            ", ".join(f"{part} {ms:g}" for part, ms in one["parts_ms"].items()),
            f"{one['engine_samples']} computed" + (f", {one['engine_measured']} measured" if trip else ""),
        ]
        for name, one in profiles.items()
    ]
    table("Latency", ["profile", "together", "made of (ms)", "engine, samples"], rows)


def _profile(name: str, model: "Model | None", trip: "RoundTrip | None") -> dict[str, Any]:
    from audiobend.live.latency import Latency, cushion_samples
    from audiobend.spectral.live_settings import LiveSettings

    settings = LiveSettings.profile(name)    # type: ignore[arg-type]
    rate, block = (trip.rate, trip.block) if trip else (44100, 0)
    cushion = cushion_samples(name, settings.stride, None, rate, 44100)
    card = (trip.samples or 0) / trip.rate if trip else 0.0
    whole = Latency(rate, settings.latency_parts(), 44100, cushion, block, card)
    parts = {part: round(ms, 1) for part, ms in whole.parts().items()}
    told: dict[str, Any] = {"total_ms": round(whole.total_ms, 1), "parts_ms": parts, "engine_samples": settings.latency}
    if model is not None:
        told["engine_measured"] = _measured(settings, model)
    return told


def _measured(settings: Any, model: "Model") -> int:
    from audiobend.bending import Patch
    from audiobend.live.measure import engine_samples
    from audiobend.live_engine import LiveEngine

    return engine_samples(LiveEngine(model, Patch(), settings), settings.n_channels)


def doctor(
    osc_port: Annotated[int, typer.Option(min=1, max=65535, help="UDP port that OSC is to have.")] = 9001,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove shared memory and sockets of programs that were cut off, no more.")
    ] = False,
    json_: Json = False,
) -> None:
    """Look for what stands in the way of playing live, and say what to do about it.

    Exit status 1 where nothing could be played.
    """
    if clean:
        _clean(json_)
        return
    from audiobend.live.doctor import examine

    findings = examine(osc_port)
    if json_:
        show_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{'ok ' if finding.is_well else 'FIX'}  {finding.what}: {finding.found}")
            if finding.fix:
                say(f"     -> {finding.fix}")
    if any(finding.is_needed and not finding.is_well for finding in findings):
        raise typer.Exit(1)


def _clean(as_json: bool) -> None:
    from audiobend.live.leftovers import remove_leftovers
    from audiobend.server.place import remove_stale

    removed = [str(path) for path in (*remove_leftovers(), *remove_stale())]
    if as_json:
        show_json({"removed": removed})
        return
    for path in removed:
        say(f"removed  {path}")
    if not removed:
        say("nothing is left behind")
