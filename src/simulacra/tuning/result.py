"""The result of a search: its trials, the best card, and whether that is better than the first."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.errors import SimulacraError
from simulacra.faces.text import Described
from simulacra.files.atomic import write_whole_text
from simulacra.statistics.intervals import half_interval
from simulacra.training.card import Card
from simulacra.tuning.card import TuneCard
from simulacra.tuning.study import OWN, REASON, finished
from simulacra.tuning.trial import FLOOR, SCORES, SECONDS, SEED, VALUES

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

TABLE, BEST = "trials.md", "best.yaml"
HISTORY, IMPORTANCE, FRONT = "history.png", "importance.png", "front.png"
FEWEST_FOR_IMPORTANCE = 4
"""Trials with a score from which on the importance of keys is computed."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """A trial that does not run any more.

    Attributes:
        number: its number; trials whose process died leave gaps.
        values: of the searched keys.
        score: mean selection score; of a trial that was stopped, its last one; None: it failed.
        stopped: whether it was stopped early.
        scores: one for each seed that was trained to the end.
        time: ms of processor time per generated event, where that is an objective.
        seconds: processor time of its trainings.
        reason: why it has no score.
        own: whether the values are the card's own.
    """

    number: int
    values: Mapping[str, Any]
    score: float | None
    stopped: bool
    scores: tuple[float, ...] = ()
    time: float | None = None
    seconds: float = 0.0
    reason: str = ""
    own: bool = False

    @classmethod
    def of(cls, trial: FrozenTrial, card: TuneCard) -> TrialResult:
        """Return what Optuna kept of a trial."""
        from optuna.trial import TrialState

        facts, space = trial.user_attrs, card.study.space
        found = list(trial.values or ())
        return cls(
            number=trial.number,
            values={k: space[k].labels().get(v, v) for k, v in trial.params.items()},
            score=found[0] if found else None,
            stopped=trial.state == TrialState.PRUNED,
            scores=tuple(facts.get(SCORES, ())),
            time=found[1] if len(found) > 1 else None,
            seconds=facts.get(SECONDS, 0.0),
            reason=facts.get(REASON, ""),
            own=facts.get(OWN, False),
        )

    @property
    def is_complete(self) -> bool:
        """Whether all its trainings came to their end."""
        return self.score is not None and not self.stopped

    @property
    def outcome(self) -> str:
        """The score, and what became of the trial, in words."""
        if self.score is None:
            return f"failed: {self.reason}" if self.reason else "stopped"
        time = "" if self.time is None else f", {self.time:.3g} ms per event"
        return f"score {self.score:.4g}{time}{', stopped early' if self.stopped else ''}"

    @property
    def text(self) -> str:
        """The trial in one line."""
        values = ", ".join(f"{key} {shown(value)}" for key, value in self.values.items())
        own = " (the card's own values)" if self.own else ""
        return f"trial {self.number}: {self.outcome}; {values}{own}"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Scores of the card as it is and of the best one, with seeds that no trial had.

    Attributes:
        seeds: of the trainings.
        own: scores of the card as it is.
        best: scores of the best card, in the same order.
    """

    seeds: tuple[int, ...]
    own: tuple[float, ...]
    best: tuple[float, ...]

    @property
    def gain(self) -> float:
        """The mean of the card's own score less the best one's, seed by seed."""
        return statistics.fmean(a - b for a, b in zip(self.own, self.best, strict=True))

    @property
    def error(self) -> float:
        """Half the 95 % interval of the gain, by Student's t; infinite for one seed."""
        gains = [a - b for a, b in zip(self.own, self.best, strict=True)]
        if len(gains) < 2:
            return math.inf
        return half_interval(statistics.stdev(gains) / math.sqrt(len(gains)), len(gains) - 1)

    @property
    def verdict(self) -> str:
        """Whether the best card is better, in one sentence."""
        numbers = (
            f"score {statistics.fmean(self.best):.4g}, the card as it is "
            f"{statistics.fmean(self.own):.4g}, with {len(self.seeds)} further seeds; "
            f"gain {self.gain:.3g} ± {self.error:.2g} (95 %)"
        )
        if self.gain > self.error:
            return f"the best card is better: {numbers}"
        if self.gain < -self.error:
            return f"the best card is worse: {numbers}"
        return f"the best card is not shown to be better: {numbers}"


@dataclass(frozen=True, slots=True, repr=False)
class Tuning(Described):
    """A finished search.

    Attributes:
        card: the card of the search.
        trials: those that do not run any more, by number.
        floor: about the score of full simulation.
        importance: share of each key in the variance of the scores of complete trials (functional
            ANOVA, Hutter et al., ICML 2014); empty where the trials are too few.
        confirmation: trainings with further seeds, where there were any.
    """

    card: TuneCard
    trials: tuple[TrialResult, ...]
    floor: float
    importance: Mapping[str, float] = field(default_factory=dict)
    confirmation: Confirmation | None = None

    @property
    def complete(self) -> tuple[TrialResult, ...]:
        """The trials whose trainings came to their end."""
        return tuple(trial for trial in self.trials if trial.is_complete)

    @property
    def best(self) -> TrialResult:
        """The trial with the lowest score."""
        return min(self.complete, key=_score)

    @property
    def front(self) -> tuple[TrialResult, ...]:
        """The trials that no other one beats in score and time, the fastest first."""
        front: list[TrialResult] = []
        for trial in sorted(self.complete, key=lambda t: (t.time or 0.0, _score(t))):
            if not front or _score(trial) < _score(front[-1]):
                front.append(trial)
        return tuple(front)

    def card_of(self, trial: TrialResult) -> Card:
        """Return the run card of a trial, with the seed of the card."""
        return self.card.with_values(trial.values)

    def describe(self) -> dict[str, Any]:
        """Return the facts on the search: best trial, importance, confirmation."""
        stopped = sum(trial.stopped for trial in self.trials)
        return {
            "trials": f"{len(self.trials)}, of these {stopped} stopped early, "
            f"{sum(bool(trial.reason) for trial in self.trials)} failed",
            "seeds of each trial": ", ".join(map(str, self.card.seeds)),
            "score of full simulation": round(self.floor, 4),
            "best": self.best.text,
            "importance": {key: f"{share:.0%}" for key, share in self.importance.items()},
            "confirmation": self.confirmation and self.confirmation.verdict,
        }

    def table(self) -> str:
        """Return the facts and all trials, the best first, as Markdown."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        for name, value in self.describe().items():
            listed = isinstance(value, Mapping)
            text = ", ".join(f"{k} {v}" for k, v in value.items()) if listed else value
            if text not in (None, ""):
                yield f"- {name}: {text}"
        if self.confirmation is not None:
            yield from _confirmed(self.confirmation)
        timed = len(self.card.study.objectives) > 1
        front = {trial.number for trial in self.front} if timed else set()
        keys = list(self.card.study.space)
        yield ""
        yield from _row(
            ["trial", "score", *(["ms per event", "front"] if timed else []), *keys, "remark"],
            head=True,
        )
        for trial in sorted(self.trials, key=lambda t: (not t.is_complete, _score(t))):
            score = "" if trial.score is None else f"{trial.score:.4f}"
            time = "" if trial.time is None else f"{trial.time:.3g}"
            own = "own values" if trial.own else ""
            remark = trial.reason or ("stopped early" if trial.stopped else own)
            middle = [time, "yes" if trial.number in front else ""] if timed else []
            values = [shown(trial.values.get(key, "")) for key in keys]
            yield from _row([str(trial.number), score, *middle, *values, remark])

    def write(self, folder: Path) -> None:
        """Write table, plots and the best card to a folder."""
        from simulacra.tuning.plots import write_plots

        write_whole_text(folder / TABLE, self.table())
        write_whole_text(folder / BEST, self.card_of(self.best).to_yaml())
        if len(self.card.study.objectives) > 1:
            for trial in self.front:
                path = folder / f"front-{trial.number}.yaml"
                write_whole_text(path, self.card_of(trial).to_yaml())
        write_plots(self, folder)


def result_of(search: Study, confirmation: Study | None, card: TuneCard) -> Tuning:
    """Return what two studies hold.

    Raises:
        SimulacraError: no trial has a score.
    """
    found = finished(search)
    trials = tuple(TrialResult.of(trial, card) for trial in found)
    if not any(trial.is_complete for trial in trials):
        reasons = [trial.reason for trial in trials if trial.reason]
        said = f": {reasons[-1]}" if reasons else ""
        msg = f"none of {len(trials)} trials came to its end{said}"
        raise SimulacraError(msg)
    floor = max(trial.user_attrs.get(FLOOR, 0.0) for trial in found)
    found_so_far = Tuning(card, trials, floor, _importance(search))
    if confirmation is None:
        return found_so_far
    again = _confirmation(confirmation, found_so_far.best.values)
    return replace(found_so_far, confirmation=again)


def _importance(study: Study) -> dict[str, float]:
    """Return the importance of each key for the score, the largest first."""
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    scores = {trial.values[0] for trial in complete}
    if len(complete) < FEWEST_FOR_IMPORTANCE or len(scores) < 2:
        return {}
    try:
        return get_param_importances(
            study,
            evaluator=FanovaImportanceEvaluator(seed=0),
            target=lambda trial: float(trial.values[0]),
        )
    except RuntimeError:  # no variance that any key explains
        return {}


def _confirmation(study: Study, best: Mapping[str, Any]) -> Confirmation | None:
    """Return the scores of the seeds that both cards have been trained with."""
    scores: dict[bool, dict[int, float]] = {True: {}, False: {}}
    for trial in finished(study):
        facts = trial.user_attrs
        if trial.value is not None and facts[VALUES] in ({}, best):
            scores[not facts[VALUES]][facts[SEED]] = trial.value
    seeds = tuple(sorted(scores[True].keys() & scores[False].keys()))
    if not seeds:
        return None
    own, again = (tuple(scores[is_own][seed] for seed in seeds) for is_own in (True, False))
    return Confirmation(seeds, own, again)


def _score(trial: TrialResult) -> float:
    return math.inf if trial.score is None else trial.score


def shown(value: object) -> str:
    """Return a value of a key as tables have it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _confirmed(found: Confirmation) -> Iterator[str]:
    yield ""
    yield from _row(["seed", "the card as it is", "the best card"], head=True)
    for seed, own, best in zip(found.seeds, found.own, found.best, strict=True):
        yield from _row([str(seed), f"{own:.4f}", f"{best:.4f}"])


def _row(cells: Sequence[str], *, head: bool = False) -> Iterator[str]:
    yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
    if head:
        yield f"|{'---|' * len(cells)}"
