"""Simulators: the protocol, trained folders, exported files, and how any of them is loaded."""
