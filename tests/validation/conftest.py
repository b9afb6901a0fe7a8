"""A report with all its pictures takes seconds to draw: tests share one."""

import pytest

from simulacra.validation import validate

from .samples import few


@pytest.fixture(scope="session")
def small_report(tmp_path_factory):
    """The report's path and the validation, of few events at each energy."""
    reference, generated = few("test", 8), few("train", 8)
    folder = tmp_path_factory.mktemp("reports") / "report"
    validation = validate(reference, generated)
    return validation.report(folder), validation


@pytest.fixture
def without_plots(monkeypatch):
    """Reports are written without pictures, at once."""
    from simulacra.validation.report import catalogue as plots

    monkeypatch.setattr(plots, "PLOTS", ())
    monkeypatch.setattr(plots, "PLOTS_OF_KIND", {})
