"""The search in one call: trials until there are enough, the best card trained again, the report.

Everything lies in one folder, and the same call goes on with what is there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from simulacra.engines import Engine
from simulacra.errors import SimulacraError
from simulacra.files.atomic import write_whole_text
from simulacra.files.progress import OnProgress, silent
from simulacra.models import find_model
from simulacra.training.run import OnNote
from simulacra.tuning.card import TuneCard
from simulacra.tuning.elsewhere import work_elsewhere
from simulacra.tuning.result import TrialResult, Tuning, result_of
from simulacra.tuning.study import (
    CARD,
    OWN,
    Stage,
    clear,
    counted,
    finished,
    open_study,
    require_optuna,
    revive,
)
from simulacra.tuning.trial import SEED, VALUES, Bench, clock_of, processor_clock
from simulacra.tuning.workers import OnChange, work, work_together

if TYPE_CHECKING:
    from optuna import Study

PHASES: dict[Stage, str] = {"search": "trials", "confirmation": "trainings with further seeds"}
OnTrial = Callable[[TrialResult], None]


def tune(
    card: TuneCard,
    folder: str | Path,
    workers: int = 1,
    on_progress: OnProgress = silent,
    *,
    engine: Engine | None = None,
    on_note: OnNote = lambda _: None,
    on_trial: OnTrial = lambda _: None,
) -> Tuning:
    """Search for the options of a run card, and write the best card.

    A search that was killed goes on by the same call. Several calls may work on one folder at a
    time. Worker processes import the main module, so a script calls this below
    ``if __name__ == "__main__":``.

    Args:
        card: the card of the search.
        folder: the study: storage, table, plots and ``best.yaml``.
        workers: number of processes; each trains one card at a time.
        engine: where the processes are started; None is this machine.
        on_progress: called with (``trials``, trials done, trials in all).
        on_note: called, before the work, with how trials are made and what goes on.
        on_trial: called with each trial that has ended.

    Returns:
        The trials, and what became of the best one.

    Raises:
        MissingDependencyError: Optuna is not installed.
        SimulacraError: the folder holds something else or a study of another card, no trial came
            to its end, or processes died again and again.
    """
    require_optuna()
    folder = Path(folder)
    bench = Bench(card, folder)
    find_model(card.card.model_kind).check(bench.samples[0].detector)
    _settle(folder, bench)
    for note in _notes(card):
        on_note(note)
    where = (workers, engine)
    search = _stage(bench, "search", card.study.trials, where, on_progress, on_note, on_trial)
    tuning = result_of(search, None, card)
    if card.study.confirm and not card.study.objectives[1:] and not tuning.best.own:
        wanted = _queue(bench, tuning)
        again = _stage(bench, "confirmation", wanted, where, on_progress, on_note, lambda _: None)
        tuning = result_of(search, again, card)
    tuning.write(folder)
    clear(folder)
    return tuning


def _settle(folder: Path, bench: Bench) -> None:
    """Make the folder of a study, or find that it is one of this card."""
    path = folder / CARD
    if folder.exists() and not path.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} is there and is no study: choose another output"
        raise SimulacraError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    study = open_study(folder, bench.card, "search", bench.identity)
    write_whole_text(path, bench.card.to_yaml())
    own = bench.card.own_values()
    if own is not None and not study.get_trials(deepcopy=False):
        labels = {key: bench.card.study.space[key].label(value) for key, value in own.items()}
        study.enqueue_trial(labels, user_attrs={OWN: True})


def _notes(card: TuneCard) -> tuple[str, ...]:
    study = card.study
    seeds = ", ".join(map(str, card.seeds))
    notes = [f"each trial is trained with seed {seeds}"]
    if study.confirm and len(study.objectives) == 1:
        fresh = ", ".join(map(str, card.fresh_seeds))
        notes[0] += f", the best card and the card as it is again with {fresh}"
    if card.card.training.minutes is not None:
        kind = "of processor time" if clock_of(card.card) is processor_clock else "of the clock"
        notes.append(f"training.minutes of a trial are minutes {kind}")
    if study.prune and not study.prunes:
        notes.append("no trial is stopped early: Optuna stops none that has two objectives")
    if card.own_values() is None:
        notes.append("the card's own values are not all in the space: none of the trials has them")
    return tuple(notes)


def _stage(
    bench: Bench,
    stage: Stage,
    wanted: int,
    where: tuple[int, Engine | None],
    on_progress: OnProgress,
    on_note: OnNote,
    on_trial: OnTrial,
) -> Study:
    """Do the trials of a stage that are not done yet, and return its study."""
    study = open_study(bench.folder, bench.card, stage, bench.identity)
    if died := revive(bench.folder, study):
        numbers = ", ".join(map(str, died))
        on_note(f"trials of processes that died are tried again: {numbers}")
    if done := len(finished(study)):
        on_note(f"{PHASES[stage]}: {done} of {wanted} are done")
    on_change = _watch(bench.card, study, stage, wanted, on_progress, on_trial)
    left, (workers, engine) = wanted - done, where
    if left > 0 and engine is not None:
        work_elsewhere(bench, stage, wanted, workers, engine, on_change)
    elif left > 0 and workers > 1:
        work_together(bench, stage, wanted, min(workers, left), on_change)
    elif left > 0:
        work(bench, stage, wanted, on_change=on_change)
    return study


def _watch(
    card: TuneCard,
    study: Study,
    stage: Stage,
    wanted: int,
    on_progress: OnProgress,
    on_trial: OnTrial,
) -> OnChange:
    """Return what is called when trials may have ended."""
    known = {trial.number for trial in finished(study)}

    def on_change(study: Study) -> None:
        for trial in finished(study):
            if trial.number not in known:
                known.add(trial.number)
                on_trial(TrialResult.of(trial, card))
        on_progress(PHASES[stage], len(known), wanted)

    on_progress(PHASES[stage], len(known), wanted)
    return on_change


def _queue(bench: Bench, tuning: Tuning) -> int:
    """Queue the trainings with further seeds that are not there yet; return their number in all.

    Where more trials have found another best card since, the trainings of the former one are left.
    """
    from optuna.trial import TrialState

    study = open_study(bench.folder, bench.card, "confirmation", bench.identity)
    values = dict(tuning.best.values)
    wanted = [(v, seed) for seed in bench.card.fresh_seeds for v in ({}, values)]
    there = [t.user_attrs for t in study.get_trials(deepcopy=False)]
    for asked, seed in wanted:
        if not any(facts.get(VALUES) == asked and facts.get(SEED) == seed for facts in there):
            study.enqueue_trial({}, user_attrs={VALUES: asked, SEED: seed})
    return len(counted(study)) + len(study.get_trials(states=(TrialState.WAITING,)))
