"""Flow matching: a velocity field that carries Gaussian noise to data in a few fixed steps.

Noise lies at time 0, data at time 1, and on straight lines between a pair of them the velocity is
their difference. The network learns its mean given where the line passes; integrating that from
noise gives data. With ``mean_flow`` it learns the average velocity between two times instead, so
that one or two steps suffice.

References:
    Lipman et al.: Flow matching for generative modeling, arXiv:2210.02747, eq. 23;
    Tong et al.: Minibatch optimal transport, arXiv:2302.00482 (the pairing);
    Geng et al.: Mean flows for one-step generative modeling, arXiv:2505.13447, eq. 6 and 10 (with
    their times reversed).
"""

from __future__ import annotations

import math
from typing import cast

import torch
from scipy.optimize import linear_sum_assignment
from torch import Generator, Tensor, nn
from torch.nn import functional

from simulacra.models.blocks.networks import dense
from simulacra.transforms.drawn import normal, places, uniform

FREQUENCIES = 8
SAME_TIME = 0.5
"""Part of a batch whose two times are equal in ``mean_flow``: there it is plain flow matching."""


class Velocity(nn.Module):
    """A residual dense network v(x, context, begin, end).

    Args:
        features: number of features of x.
        context: number of inputs that steer the flow.
        width: hidden units.
        depth: residual blocks.
        mean_flow: the velocity is an average between ``begin`` and ``end``; else that at ``begin``.
    """

    frequencies: Tensor

    def __init__(
        self, features: int, context: int, width: int, depth: int, *, mean_flow: bool
    ) -> None:
        super().__init__()
        self.mean_flow, self.width = mean_flow, width
        times = 2 * FREQUENCIES * (2 if mean_flow else 1)
        self.enter = nn.Linear(features, width)
        self.steer = dense((context, 128, width * (depth + 1)), nn.SiLU)
        self.clock = nn.Linear(times, width * (depth + 1))
        self.blocks = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.leave = nn.Linear(width, features)
        self.stretch = nn.Linear(times, features)
        for last in (self.leave, self.stretch):  # begin with no motion
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        waves = torch.arange(FREQUENCIES) * math.pi / 2
        self.register_buffer("frequencies", waves, persistent=False)

    def forward(self, x: Tensor, steering: Tensor, begin: Tensor, end: Tensor) -> Tensor:
        """Return the velocity (n, features).

        Args:
            x: where (n, features).
            steering: what :attr:`steer` made of the context (n, ...), the same for all times.
            begin: a time between 0 and 1, (n, 1) or (1, 1).
            end: one not before it, same shape.
        """
        clock = self._clock(begin, end)
        return self._moved(x, self._added(steering) + self._of_time(clock), self.stretch(clock))

    def _added(self, shifts: Tensor) -> Tensor:
        """Return what each block adds to shifts of the hidden units (n, width (depth + 1)).

        Shifted hidden units are handed from block to block: fewer operations than to shift and to
        shift back.
        """
        return shifts - functional.pad(shifts[:, : -self.width], (self.width, 0))

    def _of_time(self, clock: Tensor) -> Tensor:
        """Return what each block adds at a time, its bias among it (n, width (depth + 1))."""
        layers = [cast("nn.Linear", layer) for layer in (self.enter, *self.blocks)]
        return self._added(self.clock(clock)) + torch.cat([layer.bias for layer in layers])

    def _moved(self, x: Tensor, added: Tensor, stretch: Tensor) -> Tensor:
        """Return the velocity (n, features) for what context and time add to the hidden units."""
        first, *further = added.chunk(len(self.blocks) + 1, dim=1)
        hidden = torch.addmm(first, x, self.enter.weight.mT)
        for block, more in zip(self.blocks, further, strict=True):
            weight = cast("nn.Linear", block).weight.mT
            hidden = torch.addmm(hidden + more, functional.silu(hidden), weight)
        driven: Tensor = self.leave(functional.silu(hidden))
        return torch.addcmul(driven, x, stretch)

    def _clock(self, begin: Tensor, end: Tensor) -> Tensor:
        waves = self._waves(begin)
        return torch.cat([waves, self._waves(end - begin)], dim=1) if self.mean_flow else waves

    def _waves(self, time: Tensor) -> Tensor:
        return torch.cat([(time * self.frequencies).cos(), (time * self.frequencies).sin()], dim=1)

    def transport(self, noise: Tensor, context: Tensor, steps: int) -> Tensor:
        """Return data (n, features) for noise of the same shape, in a fixed number of steps.

        A step is one evaluation where the velocity is an average, else two (midpoint rule).
        """
        evaluations = steps if self.mean_flow else 2 * steps
        begin = torch.arange(evaluations, dtype=noise.dtype, device=noise.device)[:, None]
        begin = begin / evaluations
        clock = self._clock(begin, begin + 1 / steps)
        parts = (torch.split(part, 1) for part in (self._of_time(clock), self.stretch(clock)))
        times = list(zip(*parts, strict=True))
        steering = self._added(self.steer(context))

        def moved(start: Tensor, x: Tensor, number: int, by: float) -> Tensor:
            of_time, stretch = times[number]
            return torch.add(start, self._moved(x, steering + of_time, stretch), alpha=by)

        x = noise
        for step in range(steps):
            if self.mean_flow:
                x = moved(x, x, step, 1 / steps)
            else:
                half = moved(x, x, 2 * step, 1 / (2 * steps))
                x = moved(x, half, 2 * step + 1, 1 / steps)
        return x

    def errors(
        self, data: Tensor, context: Tensor, rng: Generator, *, pair: bool = False
    ) -> Tensor:
        """Return the mean squared error of the velocity of each event (n,) of a batch.

        Args:
            data: (n, features).
            context: (n, context).
            rng: draws noise and times.
            pair: pair noise with data so that the lines are short. Pairs do not know the context:
                noise comes to depend on it in training, as it does not in transport, and part of
                how the data go with the context is lost.
        """
        noise = normal(data.shape, rng, data.device)
        if pair:
            noise = noise[nearest_pairs(data, noise)]
        times = uniform((len(data), 2), rng, data.device)
        motion = data - noise
        steering = self.steer(context)
        if not self.mean_flow:
            time = times[:, :1]
            found = self(torch.lerp(noise, data, time), steering, time, time)
            return _mean_square(found - motion)
        begin, end = times.amin(dim=1, keepdim=True), times.amax(dim=1, keepdim=True)
        place, batch = places(len(data), rng, data.device)
        same = place[:, None] < SAME_TIME * batch
        end = torch.where(same, begin, end)
        x = torch.lerp(noise, data, begin)
        moving = lambda x, begin: self(x, steering, begin, end)  # noqa: E731 - seen along a line
        found, change = torch.func.jvp(moving, (x, begin), (motion, torch.ones_like(begin)))  # type: ignore[misc]
        target = (motion + (end - begin) * change).detach()
        return _mean_square(found - target)


def _mean_square(errors: Tensor) -> Tensor:
    return errors.square().mean(dim=1)


def nearest_pairs(data: Tensor, noise: Tensor) -> Tensor:
    """Return for each row of ``data`` a row of ``noise``, the sum of squared distances smallest."""
    _, columns = linear_sum_assignment(torch.cdist(data, noise).square().cpu().numpy())
    return torch.from_numpy(columns).to(data.device)
