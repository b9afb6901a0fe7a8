"""Parametrised response: generated particles in, tracks, towers or hits out.

:func:`.smear.smear` is Delphes-like: efficiencies and resolutions from a card, whole events at
once. :func:`.transport.transport` is FATRAS-like: helices through thin layers of matter. Both take
:class:`.particles.Particles`; neither is a simulator of one particle's response.
"""
