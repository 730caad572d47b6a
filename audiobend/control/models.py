"""Models: which one sounds, and which is wanted. Pure."""

from audiobend.control.commands import ModelFailed, ModelLoaded, RequestModel
from audiobend.control.fitting import fitting
from audiobend.control.history import History
from audiobend.control.state import Context, State
from audiobend.errors import ControlError, did_you_mean


def changed_model(state: State, command: RequestModel | ModelLoaded | ModelFailed, context: Context) -> State:
    """Return the state after a command about models; `ControlError` where there is no such model."""
    name = command.name
    match command:
        case RequestModel():
            if name not in context.models:
                raise ControlError(f"unknown model '{name[:64]}'{did_you_mean(name[:64], context.models)}")
            return state.replace(wanted_model=name, model_error="")
        case ModelLoaded():
            wanted = "" if state.wanted_model == name else state.wanted_model
            patch = fitting(state.patch, context)
            return state.replace(
                model=name, wanted_model=wanted, model_error="", patch=patch, morph=None, pad=None, fade=None,
                history=History(),
            )
        case ModelFailed():
            wrong = state.wanted_model == name
            return state.replace(wanted_model="", model_error=command.reason) if wrong else state
