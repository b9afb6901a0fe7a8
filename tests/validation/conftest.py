"""A validation takes a second, a report with all its pictures many: tests share them."""

import pytest

from simulacra.validation import validate

from .samples import few


@pytest.fixture(scope="session")
def small_validation():
    """A validation of few events at each energy."""
    return validate(few("test", 8), few("train", 8))


@pytest.fixture(scope="session")
def small_report(small_validation, tmp_path_factory):
    """The path of its report, which takes seconds to draw, and the validation."""
    folder = tmp_path_factory.mktemp("reports") / "report"
    return small_validation.report(folder), small_validation


@pytest.fixture
def without_plots(monkeypatch):
    """Reports are written without pictures, at once."""
    from simulacra.validation.report import catalogue as plots

    monkeypatch.setattr(plots, "PLOTS", ())
    monkeypatch.setattr(plots, "PLOTS_OF_KIND", {})
