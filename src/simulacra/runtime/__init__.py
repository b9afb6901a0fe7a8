"""Exported simulators at work, without torch: NumPy and ONNX Runtime are all that it loads."""

from simulacra.runtime.contract import SEES_PARTICLE, Column, Contract, Output
from simulacra.runtime.session import Runtime

__all__ = ["SEES_PARTICLE", "Column", "Contract", "Output", "Runtime"]
