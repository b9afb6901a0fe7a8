"""A file that carries its own digest is refused when one bit of it is another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.errors import SimulatorError
from simulacra.files.digests import PLACEHOLDER, require_intact, seal

CONTENT = b"head " + PLACEHOLDER.encode() + b" \x00\x01 tail"


@given(st.integers(0, 8 * len(CONTENT) - 1))
def test_any_single_bit_is_noticed(bit):
    sealed = seal(CONTENT)
    require_intact(sealed)
    changed = bytearray(sealed)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SimulatorError, match="changed or damaged"):
        require_intact(bytes(changed))


def test_what_carries_no_digest_passes():
    require_intact(b"of an earlier version")
