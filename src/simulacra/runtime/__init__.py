"""Exported simulators at work, without torch: NumPy and ONNX Runtime are all that it loads."""

from simulacra.runtime.contract import Column, Contract, Output
from simulacra.runtime.session import Runtime

__all__ = ["Column", "Contract", "Output", "Runtime"]
