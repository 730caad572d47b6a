"""What played pictures show while they run: where they are seen and bent, and how quickly they are painted."""

from time import monotonic
from typing import TYPE_CHECKING, Any

from audiobend.cli.show import Show

if TYPE_CHECKING:
    from audiobend.picture_live.performance import PicturePerformance


class PictureShow(Show):
    """What played pictures show."""

    def run(self, performance: "PicturePerformance", seconds: float | None) -> None:
        """Start a performance and show it until it ends, is stopped, or the time is over."""
        self.when_stopped(performance.stop)
        performance.start()
        self._facts(performance)
        begun = monotonic()
        while seconds is None or (left := begun + seconds - monotonic()) > 0:
            if not performance.watch(self.interval if seconds is None else min(self.interval, left)):
                break
            self.figures(*_now(performance))
        text, facts = _now(performance)
        if self.as_json:
            self.event("end", **facts)
        else:
            self.say(text)

    def _facts(self, performance: "PicturePerformance") -> None:
        ready, osc = performance.pictures.ready, performance.osc
        ports = {"address": osc.address, "port": osc.port, "tcp_port": osc.tcp_port, "query_port": osc.query_port}
        if self.as_json:
            self.event("start", url=ready.url, stream=f"{ready.url}stream.mjpg", model=ready.model,
                        height=ready.height, width=ready.width, osc=ports)    # fmt: skip
            return
        self.say(f"page     {ready.url}\nstream   {ready.url}stream.mjpg")
        self.say(f"model    {ready.model}, {ready.width} by {ready.height} pixels")
        self.say(f"osc      udp {osc.address}:{osc.port}; addresses: audiobend osc list\nCtrl-C ends")


def _now(performance: "PicturePerformance") -> tuple[str, dict[str, Any]]:
    """Return how it goes, as text and for JSON."""
    one = performance.pictures.figures
    text = f"{one.painted} pictures, {one.fps:.1f} a second, {one.paint_ms:.0f} ms each, {one.viewers} viewer(s)"
    rounded = {"fps": round(one.fps, 2), "paint_ms": round(one.paint_ms, 1)}
    return text, {**rounded, "viewers": one.viewers, "painted": one.painted}
