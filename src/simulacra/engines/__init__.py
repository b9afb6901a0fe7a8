"""Work in chunks on other machines: what a chunk leaves, who has it made, how often it is tried.

A job is a folder beside its output. It holds the inputs, and for each finished chunk a file that
carries its digest. An :class:`~simulacra.engines.engine.Engine` starts one command wherever its
machines are, ``python -m simulacra.engines.worker FOLDER 0-24,30``; the command makes the chunks
that are not there yet. Whatever dies is started again, and who started the job merges the chunks.
"""

from simulacra.engines.engine import ENGINES, Engine, parse_engine
from simulacra.engines.parts import Parts

__all__ = ["ENGINES", "Engine", "Parts", "parse_engine"]
