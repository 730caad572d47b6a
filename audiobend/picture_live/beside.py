"""Pictures beside sound: the gestures of a performance turn both."""

from collections.abc import Callable

from audiobend.control import Set, State
from audiobend.live.performance import Performance
from audiobend.networks.model import Model
from audiobend.picture_live.depth import Side
from audiobend.picture_live.messages import Heard, Setup, Shown
from audiobend.picture_live.process import PictureProcess


def side_of_sound(model: Model) -> Side:
    """Return the layers of a sound model, as gestures are mapped from them."""
    return Side(model.network.layers(), model.clusters, len(model.latent_axes))


def pictures_beside(
    performance: Performance, picture_model: str, sound_model: Model, setup: Setup, tell: Callable[[str], None]
) -> PictureProcess:
    """Start pictures that follow a performance, and return their process.

    They take the state after each change, and the sound's position and level; the sound never waits for them.
    """
    sound = side_of_sound(sound_model)

    def shown(state: State) -> Shown:
        context = performance.desk.context    # another model may sound meanwhile
        side = sound if context.model == sound_model.name else Side(context.layers, context.clusters, context.n_axes)
        return Shown(picture_model, state.heard, state.bypass, state.fade, side)

    def heard() -> Heard | None:
        if not performance.has_started:
            return None
        status = performance.status()
        return Heard(status.seconds, status.in_db)

    pictures = PictureProcess(setup, shown(performance.desk.state), tell, heard).start()
    performance.desk.apply([Set("image", pictures.ready.url)])
    performance.watchers.append(lambda state: pictures.change(shown(state)))
    return pictures
