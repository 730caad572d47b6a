"""Bend a network of your own: any torch module that names its layers.

    python examples/04_bend_any_network.py
"""

import torch
from torch import nn

from audiobend.bending import Patch, resolve
from audiobend.networks import LayerSpec, bent


class Drawing(nn.Module):
    """Noise in, a small picture out."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(16, 1, 5, padding=2), nn.Tanh())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x))

    def layers(self) -> tuple[LayerSpec, ...]:
        return (
            LayerSpec(1, "first", 16, 32, 32, axes=("y", "x")),
            LayerSpec(2, "second", 1, 32, 32, axes=("y", "x")),
        )


torch.manual_seed(0)
network = Drawing().eval()
noise = torch.randn(1, 1, 32, 32)
plan = resolve(Patch().add(1, "rotate", {"angle": 45}).add(2, "dilate", {"radius": 1}), network.layers())

with torch.no_grad():
    plain = network(noise)
    with bent(network, plan):
        strange = network(noise)
    again = network(noise)

print("bent differs from plain by", round(float((strange - plain).abs().mean()), 3))
print("after the with block the network is the old one:", torch.equal(again, plain))
