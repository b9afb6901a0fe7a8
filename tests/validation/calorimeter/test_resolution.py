import math

import numpy as np
import pytest

from simulacra.validation import validate
from simulacra.validation.calorimeter import resolution
from simulacra.validation.calorimeter.resolution import fit_resolution, resolution_of
from tests.validation.samples import few, halves

ENERGY = np.geomspace(1, 256, 9)


def widths(a, b, c):
    return np.sqrt(a**2 / ENERGY + b**2 + c**2 / ENERGY**2)


@pytest.mark.parametrize("truth", [(0.1, 0.01, 0.05), (0.5, 0.03, 0.2), (0.03, 0.007, 0.3)])
def test_exact_widths_give_back_their_terms(truth):
    width = widths(*truth)
    fit = fit_resolution(ENERGY, width, 0.01 * width)
    found = [fit.terms[name].value for name in "abc"]
    assert found == pytest.approx(truth, rel=1e-4)
    assert fit.chi2 == pytest.approx(0, abs=1e-6)
    assert (fit.ndf, fit.unresolved) == (6, ())
    assert fit.width(ENERGY) == pytest.approx(width, rel=1e-4)


def test_errors_are_those_of_repeated_experiments():
    rng, truth = np.random.default_rng(0), (0.1, 0.01, 0.1)
    width = widths(*truth)
    pulls, chi2 = [], []
    for _ in range(300):
        fit = fit_resolution(ENERGY, width * rng.normal(1, 0.02, len(width)), 0.02 * width)
        terms = zip(fit.terms.values(), truth, strict=True)
        pulls.append([(term.value - true) / term.error for term, true in terms])
        chi2.append(fit.chi2)
    assert np.mean(pulls, axis=0) == pytest.approx(0, abs=0.25)
    assert np.std(pulls, axis=0) == pytest.approx(1, abs=0.15)
    assert np.mean(chi2) == pytest.approx(6, rel=0.1)


def test_a_term_that_is_not_there_is_said_to_be_unresolved():
    width = widths(0.1, 0.01, 0.0)
    fit = fit_resolution(ENERGY, width, 0.01 * width)
    assert fit.unresolved == ("c",)
    assert fit.terms["c"].value == 0
    assert math.isnan(fit.terms["c"].error)
    assert fit.ndf == 7


def test_without_convergence_the_terms_have_no_errors(monkeypatch):
    def lost(*_, **__):
        msg = "Optimal parameters not found: Number of calls to function has reached maxfev"
        raise RuntimeError(msg)

    monkeypatch.setattr(resolution, "curve_fit", lost)
    truth = (0.1, 0.01, 0.05)
    fit = fit_resolution(ENERGY, widths(*truth), 0.01 * widths(*truth))
    assert [fit.terms[name].value for name in "abc"] == pytest.approx(truth, rel=1e-4)
    assert all(math.isnan(term.error) for term in fit.terms.values())
    assert fit.unresolved == ()


def test_a_width_that_grows_with_energy_is_all_constant_term():
    width = 0.01 * ENERGY**0.1
    fit = fit_resolution(ENERGY, width, 0.01 * width)
    assert fit.unresolved == ("a", "c")
    assert np.isfinite(fit.terms["b"].error)


@pytest.mark.slow
def test_two_halves_of_geant4_have_the_same_resolution():
    result = validate(*halves()).resolution
    assert result is not None
    pulls = [p for p in result.pulls.values() if math.isfinite(p)]
    assert pulls
    assert max(abs(p) for p in pulls) < 4
    assert 0.03 < result.reference.terms["a"].value < 0.2  # liquid argon: about 10 % sqrt(GeV)
    assert max(result.nonlinearity) < 0.1


@pytest.mark.slow
def test_less_than_four_energies_are_not_fitted():
    reference, generated = few("test", 12), few("train", 12)
    result = validate(reference, generated)
    assert result.resolution is not None
    assert resolution_of(result.energies[:3], "response") is None
    assert resolution_of(result.energies, "no such observable") is None


def sampled(b, rng, n=300):
    """Relative widths of nine energies, with errors, from n events each."""
    spread = np.sqrt(0.01 / ENERGY + b**2)
    responses = 0.9 * (1 + spread[:, None] * rng.standard_normal((len(ENERGY), n)))
    width = responses.std(axis=1, ddof=1) / responses.mean(axis=1)
    return fit_resolution(ENERGY, width, width / np.sqrt(2 * (n - 1)))


def test_a_constant_term_that_full_simulation_lacks_is_many_errors():
    """Its square has an error where it is zero, too: no pull is undefined."""
    rng = np.random.default_rng(3)
    for _ in range(25):
        pulls = resolution.pulls_of(sampled(0.0, rng), sampled(0.03, rng))
        assert pulls["b"] > 8
        assert all(map(math.isfinite, pulls.values()))


def test_pulls_of_equal_samples_have_width_one():
    rng = np.random.default_rng(4)
    pairs = ((sampled(0.0, rng), sampled(0.0, rng)) for _ in range(200))
    pulls = [[*resolution.pulls_of(*pair).values()] for pair in pairs]
    assert np.std(pulls, axis=0) == pytest.approx(1, abs=0.15)
    assert np.mean(pulls, axis=0) == pytest.approx(0, abs=0.25)
