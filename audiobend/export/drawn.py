"""Random numbers in an exported file, the same as `torch.Generator().manual_seed(seed)` gives: compiled code has no
generators.

The generator is the Mersenne Twister (Matsumoto & Nishimura 1998); a number between 0 and 1 is the last 24 bits of each
of its words. Words are whole numbers of 64 bits here, of which the lower half counts.
"""

import math

import torch
from torch import Tensor


def _seeded(seed: int) -> Tensor:
    """Return the 624 words that a seed begins with."""
    words = [seed & 0xFFFFFFFF]
    for place in range(1, 624):
        before = words[place - 1]
        words.append((1812433253 * (before ^ (before >> 30)) + place) & 0xFFFFFFFF)
    return torch.tensor(words, dtype=torch.int64)


def _mixed(high: Tensor, low: Tensor) -> Tensor:
    """Return what the upper bit of some words and the other bits of those behind them become."""
    word = (high & 0x80000000) | (low & 0x7FFFFFFF)
    return (word >> 1) ^ ((word & 1) * 0x9908B0DF)


def _twisted(words: Tensor) -> Tensor:
    """Return the next 624 words: each is made of one 397 places on, which from 227 on is a new one already."""
    mixed = _mixed(words[:623], words[1:])
    first = words[397:] ^ mixed[:227]
    second = first ^ mixed[227:454]
    third = second[:169] ^ mixed[454:]
    last = second[169:170] ^ _mixed(words[623:], first[:1])
    return torch.cat([first, second, third, last])


def uniform(seed: int, n: int) -> Tensor:
    """Return what ``torch.rand(n, generator=torch.Generator().manual_seed(seed))`` does, bit for bit."""
    parts: list[Tensor] = []
    words = _seeded(seed)
    for _ in range((n + 623) // 624):
        words = _twisted(words)
        parts.append(words)
    word = torch.cat(parts)[:n]
    word = word ^ (word >> 11)
    word = word ^ ((word << 7) & 0x9D2C5680)
    word = word ^ ((word << 15) & 0xEFC60000)
    word = word ^ (word >> 18)
    return (word & 0xFFFFFF).to(torch.float32) * (1.0 / 16777216)


def normal(seed: int, n: int) -> Tensor:
    """Return what ``torch.randn(n, generator=...)`` does on a processor, to rounding; for 16 numbers or more.

    Numbers are made of pairs eight places apart (Box & Muller 1958); where sixteen do not go into ``n``, the last
    sixteen are drawn anew.
    """
    drawn = uniform(seed, n if n % 16 == 0 else n + 16)
    whole = n // 16 * 16
    out = _bells(drawn[:whole])
    if whole == n:
        return out
    return torch.cat([torch.cat([out, drawn[whole:n]])[: n - 16], _bells(drawn[n:])])


def _bells(uniform: Tensor) -> Tensor:
    pairs = uniform.view(-1, 2, 8)
    radius = torch.sqrt(-2 * torch.log(1 - pairs[:, 0]))
    angle = 2 * math.pi * pairs[:, 1]
    return torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], 1).flatten()
