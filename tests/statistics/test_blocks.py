"""Blocks of rows: all rows once, none too dear, and the first ones whatever comes later."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulacra.statistics.blocks import bounded

COSTS = st.lists(st.floats(0.1, 9.0), min_size=1, max_size=40).map(np.array)


@given(COSTS, st.floats(1.0, 30.0))
def test_every_row_is_in_one_block_of_bounded_cost(costs, most):
    blocks = list(bounded(costs, most))
    assert [i for block in blocks for i in range(block.start, block.stop)] == [*range(len(costs))]
    dearest = max(costs[block].sum() for block in blocks)
    assert dearest <= most + costs.max() + 1e-9


@given(COSTS, COSTS)
def test_the_first_blocks_do_not_depend_on_later_rows(costs, later):
    alone, longer = list(bounded(costs, 7.0)), list(bounded(np.concatenate([costs, later]), 7.0))
    assert longer[: len(alone) - 1] == alone[:-1]
