"""Thresholds: what a validation must keep to, from a YAML file; each that fails is one line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from simulacra.detectors.base import Frozen
from simulacra.errors import SimulacraError
from simulacra.files.small_files import read_text
from simulacra.files.yaml_text import one_line_errors, parse_yaml
from simulacra.validation.metrics.baseline import VERDICTS, Verdict
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.result import Comparison, GroupResult, ThresholdResult, Validation

_FORMER = {"over_floor": "over_baseline", "spread_ratio": "sigma_eff_ratio"}
"""Former and present names of limits."""


class Rule(Frozen):
    """Limits for some observables at some energies.

    Attributes:
        observables: names or groups, with wildcards: ``response``, ``width_*``, ``*.strips``.
        energies: labels as in the report (``65 GeV``, ``all energies``, or of a part of the events
            ``p, pT 1 GeV``), with wildcards.
        separation: largest separation power.
        over_baseline: largest separation power in units of the baseline; formerly ``over_floor``.
        verdict: worst verdict allowed: ``agrees``, ``close``, ``slight`` or ``differs``.
        mean_ratio, width_ratio: largest |ratio - 1| of mean and standard deviation.
        median_ratio, sigma_eff_ratio: likewise of the median and σ_eff, half the central 68 %
            interval; formerly ``spread_ratio``.
        mean_shift: largest |difference of means| in units of the reference's standard deviation.
        sigmas: how many statistical errors a ratio or shift may lie beyond its limit.
    """

    observables: tuple[str, ...] = ("*",)
    energies: tuple[str, ...] = ("*",)
    separation: float | None = Field(default=None, ge=0)
    over_baseline: float | None = Field(default=None, ge=0)
    verdict: Verdict | None = None
    mean_ratio: float | None = Field(default=None, ge=0)
    width_ratio: float | None = Field(default=None, ge=0)
    median_ratio: float | None = Field(default=None, ge=0)
    sigma_eff_ratio: float | None = Field(default=None, ge=0)
    mean_shift: float | None = Field(default=None, ge=0)
    sigmas: float = Field(default=0.0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _with_present_names(cls, content: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
        """Read limits by their former names, too."""
        if not isinstance(content, dict):
            return content
        names = {former: new for former, new in _FORMER.items() if new not in content}
        return {names.get(key, key): value for key, value in content.items()}

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        limits = self.model_dump(exclude={"observables", "energies", "sigmas"}, exclude_none=True)
        if not limits:
            msg = "a rule needs a limit: separation, over_baseline, verdict, mean_ratio, …"
            raise ValueError(msg)
        return self


class Thresholds(Frozen):
    """All that must hold.

    Attributes:
        rules: limits for observables.
        most_differing: largest share of all comparisons with the verdict ``differs``.
        non_finite, negative, beyond_limits: most of these in the generated sample.
        resolution_pull: largest |pull| of the square of a term of the resolution.
        impact_chi2: largest chi2/ndf of a profile against the impact.
        correlation_rms: largest root mean square difference of correlation coefficients.
        profile_chi2: largest chi2/ndf of a profile along or across the mean shower.
        configuration_errors: most errors of a mean image's chi2/ndf above its baseline, for any
            configuration and layer.
        missing_cells: largest part of the mean shower in cells that the generated events never hit.
        auc: largest AUC of a classifier, for any features; needs classifiers (``--profile``).
        auc_at_energy: likewise at any single energy.
        auc_sigmas: standard errors by which an AUC may pass its limit.
    """

    rules: tuple[Rule, ...] = ()
    most_differing: float | None = Field(default=None, ge=0, le=1)
    non_finite: int | None = Field(default=None, ge=0)
    negative: int | None = Field(default=None, ge=0)
    beyond_limits: int | None = Field(default=None, ge=0)
    resolution_pull: float | None = Field(default=None, ge=0)
    impact_chi2: float | None = Field(default=None, ge=0)
    correlation_rms: float | None = Field(default=None, ge=0)
    profile_chi2: float | None = Field(default=None, ge=0)
    configuration_errors: float | None = Field(default=None, ge=0)
    missing_cells: float | None = Field(default=None, ge=0, le=1)
    auc: float | None = Field(default=None, ge=0.5, le=1)
    auc_at_energy: float | None = Field(default=None, ge=0.5, le=1)
    auc_sigmas: float = Field(default=0.0, ge=0)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the thresholds of a YAML file.

        Raises:
            SimulacraError: there is no file, or a key or a value is wrong.
        """
        path = Path(path)
        if not path.is_file():
            msg = f"no thresholds file {path}"
            raise SimulacraError(msg)
        with one_line_errors(str(path), SimulacraError):
            return cls.model_validate(parse_yaml(read_text(path, SimulacraError)) or {})


def require_classifiers(thresholds: Thresholds, *, present: bool) -> None:
    """Raise a :class:`SimulacraError` for a limit on the AUC without classifiers."""
    if not present and (thresholds.auc is not None or thresholds.auc_at_energy is not None):
        msg = "a limit on the AUC needs classifiers (--profile quick) and enough events for them"
        raise SimulacraError(msg)


def apply_thresholds(validation: Validation, thresholds: Thresholds) -> Validation:
    """Return the validation with the outcome of the thresholds.

    Raises:
        SimulacraError: a rule matches no observable or energy: it would never fail.
    """
    checks = [
        *_whole_checks(validation, thresholds),
        *_classifier_checks(validation, thresholds),
    ]
    for number, rule in enumerate(thresholds.rules):
        found = [*_rule_checks(validation, rule)]
        if not found:
            msg = (
                f"rules.{number}: nothing matches observables {', '.join(rule.observables)} "
                f"at {', '.join(rule.energies)}; the report has the names"
            )
            raise SimulacraError(msg)
        checks += found
    failures = tuple(text for text in checks if text is not None)
    return replace(validation, thresholds=ThresholdResult(len(checks), failures))


def _classifier_checks(validation: Validation, thresholds: Thresholds) -> Iterator[str | None]:
    found = () if validation.samples is None else validation.samples.classifier_tests
    require_classifiers(thresholds, present=bool(found))
    sigmas = thresholds.auc_sigmas
    for a in found:
        what = f"AUC, {a.features}, {a.classifier}"
        yield from _check(what, a.auc.value, thresholds.auc, sigmas * a.auc.error, sigmas)
        for label, auc in a.energies.items():
            if math.isfinite(auc.error):  # some events of either sample
                limit, allowance = thresholds.auc_at_energy, sigmas * auc.error
                yield from _check(f"{label}: {what}", auc.value, limit, allowance, sigmas)


def _check(
    what: str, value: float, limit: float | None, allowance: float = 0.0, sigmas: float = 0.0
) -> Iterator[str | None]:
    """Yield nothing without a limit, None where it holds, and a line of text where it fails.

    What is undefined fails: it shows nothing.
    """
    if limit is None:
        return
    if value <= limit + allowance:
        yield None
        return
    shown = "undefined" if math.isnan(value) else f"{value:.4g}"
    beyond = f" by more than {sigmas:g} standard errors" if sigmas else ""
    yield f"{what} is {shown}, above {limit:g}{beyond}"


def _rule_checks(validation: Validation, rule: Rule) -> Iterator[str | None]:
    for group in (*validation.groups, *validation.parts):
        if not _matches(group.label, rule.energies):
            continue
        for name, observable in validation.observables.items():
            if not any(_matches(n, rule.observables) for n in (name, observable.group)):
                continue
            if name in group.comparisons:
                yield from _comparison_checks(group, group.comparisons[name], rule)
            elif name in group.undefined:
                yield f"{group.label}: {name}: it is undefined for every generated event"
            elif name in group.constant:
                yield None  # one value in all events of both samples: no limit is passed


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _comparison_checks(group: GroupResult, c: Comparison, rule: Rule) -> Iterator[str | None]:
    where = f"{group.label}: {c.observable}:"
    yield from _check(f"{where} separation power", c.metrics["separation"].value, rule.separation)
    yield from _check(f"{where} separation over baseline", c.over_baseline, rule.over_baseline)
    if rule.verdict is not None:
        worse = VERDICTS.index(c.verdict) > VERDICTS.index(rule.verdict)
        yield (
            f"{where} the verdict is {c.verdict!r}, worse than {rule.verdict!r}" if worse else None
        )
    for name in ("mean_ratio", "width_ratio", "median_ratio", "sigma_eff_ratio"):
        ratio, limit = c.metrics[name], getattr(rule, name)
        distance = Estimate(abs(ratio.value - 1), ratio.error)
        yield from _distance_check(f"{where} |{name.replace('_', ' ')} - 1|", distance, limit, rule)
    shift = c.metrics["mean_difference"]
    unit = c.reference.std.value or math.nan
    distance = Estimate(abs(shift.value) / unit, shift.error / unit)
    yield from _distance_check(f"{where} mean shift over width", distance, rule.mean_shift, rule)


def _distance_check(
    what: str, distance: Estimate, limit: float | None, rule: Rule
) -> Iterator[str | None]:
    allowance = rule.sigmas * distance.error if math.isfinite(distance.error) else 0.0
    yield from _check(what, distance.value, limit, allowance, rule.sigmas)


def _whole_checks(validation: Validation, thresholds: Thresholds) -> Iterator[str | None]:
    verdicts = [c.verdict for g in validation.groups for c in g.comparisons.values()]
    share = verdicts.count("differs") / len(verdicts) if verdicts else math.nan
    yield from _check("share of comparisons that differ", share, thresholds.most_differing)
    counts = validation.invariants["generated"]
    yield from _check("numbers that are not finite", counts.non_finite, thresholds.non_finite)
    yield from _check("negative energies", counts.negative, thresholds.negative)
    yield from _check("events beyond the limits", counts.beyond_limits, thresholds.beyond_limits)
    pulls = {} if validation.resolution is None else validation.resolution.pulls
    found = {f"resolution: |pull| of {name}": abs(pull) for name, pull in pulls.items()}
    for name, pull in (found or {"resolution: |pull|": math.nan}).items():
        yield from _check(name, pull, thresholds.resolution_pull)
    found = {
        f"{profile.observable} against {profile.condition}: chi2/ndf": profile.chi2_per_ndf
        for profile in validation.impact_profiles
        if np.isfinite(profile.reference).any()  # else there is nothing to follow
    }
    for name, chi2 in (found or {"centres against the impact: chi2/ndf": math.nan}).items():
        yield from _check(name, chi2, thresholds.impact_chi2)
    correlations, cells = validation.correlations, validation.cells
    rms = math.nan if correlations is None else correlations.rms_difference
    yield from _check("correlations: rms difference", rms, thresholds.correlation_rms)
    profiles = {} if cells is None else cells.profiles
    found = {  # a profile without an error is empty in both samples
        f"profile {name}: chi2/ndf": chi2.value
        for name, chi2 in profiles.items()
        if not math.isnan(chi2.value)
    }
    for name, value in (found or {"profiles: chi2/ndf": math.nan}).items():
        yield from _check(name, value, thresholds.profile_chi2)
    found = {f"mean image of {s.features}: errors": s.excess for s in validation.configurations}
    for name, value in (found or {"mean images of configurations: errors": math.nan}).items():
        yield from _check(name, value, thresholds.configuration_errors)
    missing = math.nan if cells is None else cells.missing[0]
    yield from _check("part of the shower in dead cells", missing, thresholds.missing_cells)
