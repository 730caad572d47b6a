"""``audiobend live``."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from audiobend.cli.choices import LivePhase, OtherClusters, Profile
from audiobend.errors import AudioError, DeviceError, PatchError, TakeError

if TYPE_CHECKING:
    from audiobend.cli.liveshow import LiveShow
    from audiobend.io.audiofile import AudioInfo
    from audiobend.io.session import Session
    from audiobend.live.audio import Card, Clock
    from audiobend.live.performance import Performance
    from audiobend.networks.backends import BackendName
    from audiobend.networks.model import Model
    from audiobend.spectral.live_settings import LiveSettings


BROWSER_RATE = 44100
"""Hz: browsers take any rate, and this is the models' own."""


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(live)


def live(
    input_device: Annotated[str | None, typer.Option(metavar="NAME|N", help="Sound card to listen to.")] = None,
    output_device: Annotated[str | None, typer.Option(metavar="NAME|N", help="Sound card to play on.")] = None,
    sample_rate: Annotated[
        str, typer.Option(metavar="auto|HZ", help="Of the card; auto takes the card's own.")
    ] = "auto",
    blocksize: Annotated[str, typer.Option(metavar="auto|N", help="Samples in a block of the card.")] = "auto",
    model: Annotated[str | None, typer.Option(help="Name of a shipped model, or a bundle's folder.")] = None,
    clusters: OtherClusters = None,
    patch: Annotated[Path | None, typer.Option(help="Patch file; without it the sound passes unbent.")] = None,
    latency: Annotated[Profile, typer.Option(help="Profile of stride and look-ahead.")] = Profile.balanced,
    stride: Annotated[int | None, typer.Option(min=1, max=64, help="Columns between windows.")] = None,
    look_ahead: Annotated[int | None, typer.Option(min=1, max=64, help="Columns waited for.")] = None,
    cushion: Annotated[
        float | None, typer.Option(min=0, max=1000, help="How far the engine is ahead of the card, in ms.")
    ] = None,
    phase: Annotated[LivePhase, typer.Option(help="Where phases come from.")] = LivePhase.input,
    channels: Annotated[
        int | None, typer.Option(min=1, max=2, help="1 or 2; otherwise as many as the input has.")
    ] = None,
    backend: Annotated[str, typer.Option(help="What runs the network; auto tries which is fastest.")] = "auto",
    osc_port: Annotated[int, typer.Option(min=0, max=65535, help="UDP port for OSC; 0 takes a free one.")] = 9001,
    listen: Annotated[str, typer.Option(help="Address for OSC; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    allow: Annotated[
        list[str] | None, typer.Option(metavar="IP", help="Machine or network that may send OSC.")
    ] = None,
    osc_tcp: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="OSC over TCP too; 0 takes a free port.")
    ] = None,
    osc_framing: Annotated[str, typer.Option(help="Of TCP: length, slip, or auto for whichever comes.")] = "auto",
    oscquery_port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="OSCQuery too; 0 takes a free port.")
    ] = None,
    advertise: Annotated[bool, typer.Option("--advertise", help="Tell the network by mDNS where OSC is.")] = False,
    from_: Annotated[Path | None, typer.Option("--from", metavar="TRACK", help="Play this file as input.")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Play it again and again.")] = False,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Without a sound card; needs --from.")] = False,
    browser: Annotated[
        bool, typer.Option("--browser", help="The page's browser is the sound card: its microphone and loudspeaker.")
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="With --no-audio: as fast as it goes.")] = False,
    freewheel: Annotated[
        bool, typer.Option("--freewheel", help="Let the card wait for the engine: for servers faster than real time.")
    ] = False,
    record: Annotated[Path | None, typer.Option(metavar="OUT", help="Keep what is played (wav, flac, ogg).")] = None,
    session: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for scenes and takes; they are there the next time.")
    ] = None,
    take: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="Record every gesture: a name in the session, or a .jsonl file."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option(help="Let --record replace a file that audiobend did not write, and --take a take.")
    ] = False,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Serve the page: play in a browser.")] = True,
    page_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Of the page; otherwise 9080, or a free one if that is taken.")
    ] = None,
    page_listen: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address for the page; 0.0.0.0 lets in who has the token.")
    ] = "127.0.0.1",
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = False,
    image: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Pictures too, bent by the same gestures: a model of pictures.")
    ] = None,
    image_seeds: Annotated[str, typer.Option(help="Seeds of the pictures: 1,5,9; with --image-pace a walk.")] = "0",
    image_pace: Annotated[float, typer.Option(min=0, max=3600, help="Seconds from seed to seed; 0 stands still.")] = 0,
    image_port: Annotated[
        int, typer.Option(min=0, max=65535, help="TCP port of the pictures; 0 takes a free one.")
    ] = 9081,
    seconds: Annotated[float | None, typer.Option(min=0, help="End after this long.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Play through the bent network: sound card in, bent sound out.

    For example: audiobend live --patch low_tide.yaml --latency balanced --record tonight.wav
    """
    _check_words(no_audio, fast, loop, from_, browser)
    if browser and not page:
        raise DeviceError("--browser needs the page: leave --no-page out")
    asked = _asked(input_device, output_device, sample_rate, blocksize, from_ is not None, latency)
    # Looked for before anything slow is imported.
    card, n_channels = _clock(asked, from_, channels, fast) if no_audio or browser else _card(asked, from_, channels)

    from audiobend.live.calm import hurry
    from audiobend.live.warming import warm_up

    hurry()
    warm_up(model)

    from audiobend.bending import Patch
    from audiobend.cli.liveshow import LiveShow
    from audiobend.io.modelbundle import load_model
    from audiobend.io.patchfile import load_patch
    from audiobend.io.session import Session
    from audiobend.io.yamlfile import named
    from audiobend.live.archive import Keeping
    from audiobend.live.dsp import Wanted
    from audiobend.live.performance import Performance
    from audiobend.live.setup import Setup
    from audiobend.live.warm import make_player
    from audiobend.osc.doors import Listening
    from audiobend.osc.framing import checked
    from audiobend.osc.server import listen_warning
    from audiobend.page.opening import opened

    where = Listening(listen, osc_port, allow or (), osc_tcp, oscquery_port, checked(osc_framing), advertise)
    if record:
        _check_record(record, [path for path in (from_, patch) if path], overwrite)
    the_session = Session(session)
    take_path = _take_path(take, the_session, [path for path in (from_, patch) if path], overwrite) if take else None
    the_patch = load_patch(patch) if patch else Patch()
    show = LiveShow(json_)
    show.say_starting()
    the_model = load_model(model, clusters=clusters)
    named(patch or "--patch", lambda: the_model.resolve(the_patch), error=PatchError)
    settings = _settings(latency, phase, n_channels, stride, look_ahead)
    wanted = Wanted(model, the_patch, backend=_backend(backend, the_model), clusters=the_model.clusters_from)
    waits = fast or freewheel
    setup = Setup(wanted, settings, card, latency.value, cushion, from_, loop, record, waits, make_player, forks=True)
    keeping = Keeping(the_session, take_path)
    with show, Performance(setup, the_model, show.tell, where, keeping) as performance:
        if warning := listen_warning(listen, allow or ()):
            show.tell(warning)
        with (
            _pictures(performance, the_model, image, (image_seeds, image_pace), (image_port, allow or ()), show),
            opened(performance, page_listen, page_port, show.tell) if page else nullcontext() as the_page,
        ):
            show.run(performance, the_model, seconds, the_page, open_)


def _pictures(
    performance: "Performance",
    model: "Model",
    image: str | None,
    walk: tuple[str, float],
    where: tuple[int, Sequence[str]],
    show: "LiveShow",
) -> AbstractContextManager[object]:
    """Start pictures beside the sound, where they are wanted."""
    if image is None:
        return nullcontext()
    from audiobend.picture_live.beside import pictures_beside
    from audiobend.picture_live.messages import Setup, Where
    from audiobend.picture_recipe import parse_seeds

    (seeds, pace), (port, allow) = walk, where
    at = Where(performance.osc.address, port, tuple(allow))
    setup = Setup(where=at, seeds=tuple(parse_seeds(seeds)), pace=pace, is_aside=True)
    pictures = pictures_beside(performance, image, model, setup, show.tell)
    show.tell(f"pictures are at {pictures.ready.url}")
    return closing(pictures)


def _check_words(no_audio: bool, fast: bool, loop: bool, track: Path | None, browser: bool) -> None:
    if no_audio and track is None and not browser:
        raise DeviceError("--no-audio needs a file to play: add --from track.wav")
    if fast and not no_audio:
        raise DeviceError("--fast needs --no-audio: a sound card runs in real time")
    if loop and track is None:
        raise DeviceError("--loop needs a file to play: add --from track.wav")


def _check_record(record: Path, read: list[Path], overwrite: bool) -> None:
    """Look before anything begins: nothing that is read is overwritten, nor a stranger's file."""
    from audiobend.io.audiofile import written_by_audiobend
    from audiobend.io.files import check_not_an_input
    from audiobend.io.soundformats import format_of

    format_of(record)
    check_not_an_input(record, read, AudioError)
    if record.is_file() and not overwrite and not written_by_audiobend(record):
        raise AudioError(f"{record}: exists and was not written by audiobend; add --overwrite to replace it")


def _take_path(given: str, session: "Session", read: list[Path], overwrite: bool) -> Path:
    """Return where a take goes; nobody's take is replaced unasked."""
    from audiobend.control.scenes import check_name
    from audiobend.io.files import check_not_an_input

    is_file = given.endswith(".jsonl") or Path(given).name != given
    path = Path(given) if is_file else session.take_path(check_name(given, "take"))
    check_not_an_input(path, read, TakeError)
    if path.is_dir() or not path.parent.is_dir():
        raise TakeError(f"{path}: {'is a folder' if path.is_dir() else f'the folder {path.parent} does not exist'}")
    if path.exists() and not overwrite:
        raise TakeError(f"{path}: there is such a take; choose another name, or add --overwrite to replace it")
    return path


def _settings(
    profile: Profile, phase: LivePhase, channels: int, stride: int | None, look_ahead: int | None
) -> "LiveSettings":
    from audiobend.spectral.live_settings import LiveSettings

    settings = LiveSettings.profile(profile.value, phase=phase.value, n_channels=channels)
    return replace(settings, stride=stride or settings.stride, look_ahead=look_ahead or settings.look_ahead)


def _number(name: str, text: str, low: int, high: int) -> int | None:
    """Read a whole number or ``auto``."""
    if text == "auto":
        return None
    if not text.isdecimal() or not low <= int(text) <= high:
        raise DeviceError(f"{name} must be auto or a whole number in {low}..{high}, got '{text}'")
    return int(text)


def _asked(
    input: str | None, output: str | None, rate: str, block: str, plays_file: bool, profile: Profile
) -> "Card":
    from audiobend.live.audio import Card

    rate_, block_ = _number("--sample-rate", rate, 8000, 192000), _number("--blocksize", block, 1, 16384)
    return Card(input, output, rate_, block_ or 0, int(plays_file), is_patient=profile is Profile.studio)


def _card(asked: "Card", track: Path | None, channels: int | None) -> tuple["Card | Clock", int]:
    """Look for a card; return how to open it, and the channels that are worth bending."""
    from audiobend.live.audio import look_for

    input, _ = look_for(asked)
    if track is None:
        return asked, channels or min(2, input.inputs if input else 1)
    n = channels or _probe(track).channels
    return replace(asked, file_channels=n), n


def _clock(asked: "Card", track: Path | None, channels: int | None, fast: bool) -> tuple["Card | Clock", int]:
    """Return a clock in the place of a card, at the track's rate, or at the models' for a browser."""
    from audiobend.live.audio import CLOCK_BLOCK, Clock

    if track is None:
        return Clock(asked.rate or BROWSER_RATE, asked.block or CLOCK_BLOCK), channels or 1
    info = _probe(track)
    block = asked.block or (4096 if fast else CLOCK_BLOCK)
    return Clock(asked.rate or info.sample_rate, block, is_paced=not fast), channels or info.channels


def _probe(track: Path) -> "AudioInfo":
    from audiobend.io.audiofile import probe

    return probe(track)


def _backend(name: str, model: "Model") -> "BackendName | None":
    from audiobend.networks.backends import backend

    if name == "auto":
        return None
    known = cast("BackendName", name)
    backend(known, model)    # refuses what is unknown or not installed
    return known
