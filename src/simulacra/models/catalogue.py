"""The catalogue of models: one published system a row.

Other packages add rows of their own by the entry point group ``simulacra.models``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulacra.errors import CardError
from simulacra.files.entry_points import Table
from simulacra.files.mistakes import did_you_mean

if TYPE_CHECKING:
    from simulacra.models.system import System

_CALORIMETER, _TPC = "simulacra.models.calorimeter", "simulacra.models.tpc"

MODELS: Table[type[System]] = Table(
    "simulacra.models",
    {
        "dnncalogan": f"{_CALORIMETER}.dnncalogan:DNNCaloGAN",
        "wgan": f"{_CALORIMETER}.wgan:WGAN",
        "atlas-vae": f"{_CALORIMETER}.atlas_vae:AtlasVAE",
        "voxel-gan": f"{_CALORIMETER}.voxel_gan:VoxelGAN",
        "coupling-flow": f"{_CALORIMETER}.coupling_flow:TwoStageFlow",
        "flow-matching": f"{_CALORIMETER}.flow_matching:FlowMatching",
        "calogan": f"{_CALORIMETER}.calogan:CaloGAN",
        "gan-3d": f"{_CALORIMETER}.gan3d.gan3d:GAN3D",
        "gan-3d-angle": f"{_CALORIMETER}.gan3d.angle:GAN3DAngle",
        "gan-mlp": f"{_TPC}.gan_mlp:GANMLP",
        "gan-lstm": f"{_TPC}.gan_lstm:GANLSTM",
        "vae": f"{_TPC}.vae:VAE",
        "dcgan": f"{_TPC}.dcgan:DCGAN",
        "cvae": f"{_TPC}.cvae:CVAE",
        "progan": f"{_TPC}.progan:ProGAN",
        "cond-lstm": f"{_TPC}.cond_lstm:CondLSTM",
        "cond-dcgan": f"{_TPC}.cond_dcgan:CondDCGAN",
        "lagan": "simulacra.models.jets.lagan:LAGAN",
        "helix-flow": f"{_TPC}.helix_flow.helix_flow:HelixFlow",
    },
)


def find_model(kind: str) -> type[System]:
    """Return the class of a model.

    Raises:
        CardError: there is no such model.
    """
    if kind not in MODELS:
        msg = f"no model {kind!r}{did_you_mean(kind, MODELS)}"
        raise CardError(msg)
    return MODELS[kind]
