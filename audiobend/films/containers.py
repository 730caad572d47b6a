"""Frames into mp4 and gif through FFmpeg's libraries (PyAV), one at a time."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import torch
from av.filter import Graph
from av.video.reformatter import ColorRange, Colorspace

from audiobend.errors import PictureError
from audiobend.io.audiofile import AudioReader
from audiobend.io.files import MARK
from audiobend.picture_files import Pixels

QUALITY = "16"
"""x264's constant rate factor: hardly to be told from the frames themselves."""
AUDIO_BITS = 192_000
AUDIO_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
OTHER_RATE = 48000
_BT709 = 1
MOST_FACTS = 1 << 15
"""Letters of a description; a longer one would push our mark out of the place where it is looked for."""


class Mp4:
    """H.264 and AAC; the same bytes for the same frames.

    Parameters
    ----------
    path : Path
    rate : Fraction
        Frames in a second.
    description : str
    audio : Path or None
        A track; as much of it is heard as the film is long.
    """

    def __init__(self, path: Path, rate: Fraction, description: str, audio: Path | None) -> None:
        self._container = av.open(str(path), "w", format="mp4")
        self._container.metadata["comment"] = MARK
        if len(description) <= MOST_FACTS:
            self._container.metadata["description"] = description
        self._rate, self._count = rate, 0
        self._video: Any = None
        self._sound = None if audio is None else _Sound(self._container, audio)

    def add(self, pixels: Pixels) -> None:
        """Take the next frame ``(height, width, 3)``."""
        if self._video is None:
            self._video = self._stream(*pixels.shape[:2])
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
        frame.pts, frame.time_base = self._count, 1 / self._rate
        self._container.mux(self._video.encode(frame))
        self._count += 1
        if self._sound is not None:
            self._sound.up_to(self._count / self._rate)

    def finish(self) -> None:
        """Write what is still to be written."""
        if self._video is not None:
            self._container.mux(self._video.encode(None))
        if self._sound is not None:
            self._sound.finish()

    def close(self) -> None:
        """Close the file."""
        if self._sound is not None:
            self._sound.close()
        self._container.close()

    def _stream(self, height: int, width: int) -> Any:
        if height % 2 or width % 2:
            raise PictureError(f"frames of an mp4 need even sides, got {width} by {height}; give another --side")
        stream = self._container.add_stream("libx264", rate=self._rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        coder = stream.codec_context
        coder.colorspace = coder.color_primaries = coder.color_trc = _BT709
        coder.color_range = ColorRange.MPEG
        # The same bytes every time: how many threads there are would change them, and of small frames x264's "mbtree"
        # reads memory that nobody has written.
        stream.options = {"crf": QUALITY, "preset": "medium", "threads": "1", "x264-params": "mbtree=0"}
        return stream


class _Sound:
    """A track, encoded as far as the pictures are."""

    def __init__(self, container: Any, path: Path) -> None:
        self._reader = AudioReader(path)
        info = self._reader.info
        rate = info.sample_rate if info.sample_rate in AUDIO_RATES else OTHER_RATE
        layout = "stereo" if info.channels == 2 else "mono"
        self._stream = container.add_stream("aac", rate=rate, layout=layout)
        self._stream.bit_rate = AUDIO_BITS
        self._container, self._rate, self._layout, self._done = container, info.sample_rate, layout, 0

    def up_to(self, seconds: Fraction) -> None:
        block = self._reader.read(int(seconds * self._rate) - self._done)
        if not block.shape[-1]:
            return
        frame = av.AudioFrame.from_ndarray(torch.clamp(block, -1, 1).numpy(), format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._done, Fraction(1, self._rate)
        self._container.mux(self._stream.encode(frame))
        self._done += block.shape[-1]

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))

    def close(self) -> None:
        self._reader.close()


class Gif:
    """A gif with a palette for each frame."""

    def __init__(self, path: Path, rate: Fraction) -> None:
        self._path, self._rate, self._count = path, rate, 0
        self._container = av.open(str(path), "w", format="gif")
        self._video: Any = None
        self._graph: Any = None

    def add(self, pixels: Pixels) -> None:
        """Take the next frame ``(height, width, 3)``."""
        if self._video is None:
            self._begin(*pixels.shape[:2])
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = self._count, 1 / self._rate
        self._graph.push(frame)
        self._count += 1
        self._pull()

    def finish(self) -> None:
        """Write what is still to be written, and that it is ours."""
        if self._video is not None:
            self._graph.push(None)
            self._pull()
            self._container.mux(self._video.encode(None))
        self._container.close()
        data = MARK.encode()
        with self._path.open("r+b") as file:    # a comment before the last byte, which ends a gif
            file.seek(-1, 2)
            file.write(b"\x21\xfe" + bytes([len(data)]) + data + b"\x00\x3b")

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _begin(self, height: int, width: int) -> None:
        self._video = self._container.add_stream("gif", rate=self._rate)
        self._video.width, self._video.height, self._video.pix_fmt = width, height, "pal8"
        graph = self._graph = Graph()
        colours = av.VideoFormat("rgb24")
        source = graph.add_buffer(width=width, height=height, format=colours, time_base=1 / self._rate)
        split, palette = graph.add("split"), graph.add("palettegen", "stats_mode=single")
        use, sink = graph.add("paletteuse", "new=1:dither=sierra2_4a"), graph.add("buffersink")
        source.link_to(split)
        split.link_to(use, 0, 0)
        split.link_to(palette, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()

    def _pull(self) -> None:
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            self._container.mux(self._video.encode(frame))
