"""The smallest model with one loss: every cell's fraction is Gaussian; its optimum is known."""

import math
from typing import Literal

import torch
from torch import nn

from simulacra.detectors.base import Frozen
from simulacra.models import MODELS
from simulacra.models.system import System
from simulacra.transforms import FractionOfEnergy


class Config(Frozen):
    kind: Literal["gaussian"] = "gaussian"
    scale: float = 1.0


class Gaussian(nn.Module, System):
    Config = Config
    serves = "calorimeter"
    loop = "likelihood"
    summary = "for tests"
    reference = "Gauss"

    def __init__(self, config, detector, conditions):
        super().__init__()
        self.scale = config.scale
        self.mean = nn.Parameter(torch.zeros(detector.n_cells))
        self.log_width = nn.Parameter(torch.zeros(detector.n_cells))

    def fit(self, features, conditions):
        pass

    def noise_shape(self, n):
        return n, len(self.mean)

    def sample(self, conditions, noise):
        return (self.mean + noise * self.log_width.exp()).abs()

    def losses(self, features, conditions, rng):
        pull = (features - self.mean) / self.log_width.exp()
        constant = math.log(2 * math.pi) / 2
        return {
            "pull": self.scale * pull.square().mean() / 2,
            "width": self.scale * (self.log_width.mean() + constant),
        }

    @staticmethod
    def transform_for(config, detector):  # noqa: ARG004
        return FractionOfEnergy("showers", (detector.n_cells,), 0)


def register(monkeypatch):
    monkeypatch.setitem(MODELS._loaded, "gaussian", Gaussian)
