import pytest

from simulacra.detectors import KINDS, load_detector
from simulacra.drawings.kinds import EVENTS
from simulacra.drawings.kinds import KINDS as DRAWINGS
from simulacra.errors import SimulacraError
from simulacra.fullsim.kinds import GENERATED, SETUPS, setup_of
from simulacra.observables.kinds import KINDS as OBSERVABLES
from simulacra.validation.kinds import KINDS as VALIDATION
from simulacra.validation.report.catalogue import PLOTS_OF_KIND


def test_every_kind_has_a_row_in_every_stage():
    kinds = set(KINDS)
    assert kinds == {*SETUPS, *GENERATED}
    for table in (DRAWINGS, EVENTS, OBSERVABLES, VALIDATION, PLOTS_OF_KIND):
        assert kinds == set(table)


def test_no_kind_is_simulated_twice():
    assert not {*SETUPS} & {*GENERATED}
    with pytest.raises(SimulacraError, match="not a jet-image"):
        setup_of(load_detector("jet-image"))
