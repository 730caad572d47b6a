"""What runs a model's network: the same windows in, the same windows out, by whatever is fastest on this machine."""

from typing import Protocol

from torch import Tensor

from audiobend.bending import Plan


class Backend(Protocol):
    """One way to run a model's network, bent and unbent.

    Every backend gives the same sound; how near, in dB, says the page `docs/sound.md`. A backend belongs to one model.
    """

    @property
    def name(self) -> str:
        """``"torch"``, ``"torch-bf16"``, ``"openvino"`` or ``"openvino-bf16"``."""
        ...

    def prepare(self, plan: Plan) -> None:
        """Do what is slow (bend kernels, compile) ahead of time, for any thread to call while another reconstructs.

        `reconstruct` with a plan that was never prepared is right too, but its first call takes as long as this.
        """
        ...

    def reconstruct(self, x: Tensor, plan: Plan, times: Tensor | None = None, call: int = 0) -> tuple[Tensor, Tensor]:
        """Run windows through the network.

        Parameters
        ----------
        x : Tensor of shape ``(batch, 1, 128, 513)``, normalised; never changed
        plan : Plan
            Resolved for this backend's model; bends of encoder, code and decoder, latent operations and bent kernels
            all act.
        times : Tensor of shape ``(batch,)`` or None
            Seconds at the centre of each window, for modulation; None leaves every parameter at its base.
        call : int
            The number of this call, for noise that is fresh every time.

        Returns
        -------
        bent, unbent : Tensors of shape ``(batch, 1, 128, 513)``, float32; one and the same where the plan does nothing.
        Bends can make numbers that are not finite.
        """
        ...
