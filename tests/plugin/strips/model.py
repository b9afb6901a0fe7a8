"""Independent Gaussian fractions of the energy."""

from typing import Literal

import torch
from torch import nn

from simulacra.detectors.base import Frozen
from simulacra.models.system import System
from simulacra.transforms import FractionOfEnergy


class Config(Frozen):
    kind: Literal["strip-gaussian"] = "strip-gaussian"


class StripGaussian(nn.Module, System):
    Config = Config
    serves = "strip-counter"
    loop = "likelihood"
    summary = "independent Gaussian fractions"
    reference = "this test"

    def __init__(self, config, detector, conditions):
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(detector.strips))
        self.log_width = nn.Parameter(torch.zeros(detector.strips))

    def fit(self, features, conditions):
        pass

    def noise_shape(self, n):
        return n, len(self.mean)

    def sample(self, conditions, noise):
        return (self.mean + noise * self.log_width.exp()).abs()

    def losses(self, features, conditions, rng):
        pull = (features - self.mean) / self.log_width.exp()
        return {"negative log-likelihood": pull.square().mean() / 2 + self.log_width.mean()}

    @staticmethod
    def transform_for(config, detector):  # noqa: ARG004
        return FractionOfEnergy("charge", (detector.strips,), 0)
