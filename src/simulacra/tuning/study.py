"""The study on disk: trials that several processes share, and what becomes of dead ones.

Each process at work holds a lock on a file of its own. A running trial whose process holds none is
of a process that died: it fails, and its values are tried again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock, Timeout

from simulacra.errors import MissingDependencyError, SimulacraError
from simulacra.files.atomic import remove
from simulacra.files.loggers import quiet
from simulacra.tuning.card import StudyCard, TuneCard

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

Stage = Literal["search", "confirmation"]
CARD = "study.yaml"
"""The card in the folder of a study."""
JOURNAL = "journal.log"
LOCKS, WORK = "locks", "work"
WORKER, REASON, RETRIES, OWN = "worker", "reason", "retries", "own"
"""Facts of a trial: its process, why it has no score, how often its process died, and whether it
has the card's own values."""
IDENTITY = "identity"
MOST_RETRIES = 2
"""Times that the values of a trial are tried again after its process died."""
UNJUDGED, EARLY = 5, 3
"""Trials, and tenths of a training, before any trial is stopped early."""


def require_optuna() -> None:
    """Raise a :class:`MissingDependencyError` where Optuna is not installed."""
    try:
        import optuna  # noqa: F401
    except ImportError:
        msg = "tuning needs Optuna: pip install 'simulacra[tune]'"
        raise MissingDependencyError(msg) from None


def open_study(folder: Path, card: TuneCard, stage: Stage, identity: str, worker: int = 0) -> Study:
    """Return the study of a folder, made or found.

    Args:
        folder: the study's folder.
        card: the card of the search.
        stage: the search, or the trainings with further seeds after it.
        identity: of the card and the events.
        worker: number of the process; each samples with a stream of its own.

    Raises:
        SimulacraError: the storage holds a study of another card or of other events.
    """
    require_optuna()
    import optuna

    study = card.study
    with quiet("optuna"):  # else it announces the study on stderr
        made = optuna.create_study(
            storage=_storage(folder, study),
            study_name=stage if study.storage is None else f"{folder.resolve().name}-{stage}",
            sampler=optuna.samplers.TPESampler(
                seed=study.seed + worker, n_startup_trials=max(study.trials // 4, 1)
            ),
            pruner=_pruner(study),
            directions=["minimize"] * (len(study.objectives) if stage == "search" else 1),
            load_if_exists=True,
        )
    found = made.user_attrs.get(IDENTITY)
    if found is None:
        made.set_user_attr(IDENTITY, identity)
    elif found != identity:
        msg = (
            f"{folder} is a study of another card or of other events; only tune.trials and "
            "tune.confirm may change: choose another output"
        )
        raise SimulacraError(msg)
    return made


def _storage(folder: Path, study: StudyCard) -> Any:  # noqa: ANN401 - either of Optuna's
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if study.storage is None:
        return JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
    try:
        return RDBStorage(study.storage)
    except Exception as error:  # whatever a database driver raises
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        msg = f"tune.storage: {study.storage} cannot be used: {reason}"
        raise SimulacraError(msg) from None


def _pruner(study: StudyCard) -> Any:  # noqa: ANN401 - either of Optuna's
    from optuna.pruners import MedianPruner, NopPruner

    if not study.prunes:
        return NopPruner()
    return MedianPruner(n_startup_trials=UNJUDGED, n_warmup_steps=EARLY)


@contextmanager
def attending(folder: Path) -> Iterator[str]:
    """Hold the lock that tells that this process is alive, and yield its name."""
    (folder / LOCKS).mkdir(parents=True, exist_ok=True)
    name = secrets.token_hex(6)
    path = folder / LOCKS / name
    with FileLock(path):
        yield name
    path.unlink(missing_ok=True)


def _is_alive(folder: Path, name: str | None) -> bool:
    """Return whether the process of that name holds its lock."""
    if name is None or not (folder / LOCKS / name).exists():
        return False
    try:
        with FileLock(folder / LOCKS / name, timeout=0):
            return False
    except Timeout:
        return True


def revive(folder: Path, study: Study) -> tuple[int, ...]:
    """Fail the running trials of dead processes, and have their values tried again.

    Returns:
        The numbers of the trials that failed so.
    """
    from optuna.trial import Trial, TrialState

    numbers = []
    with _asking(folder):
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if _is_alive(folder, trial.user_attrs.get(WORKER)):
                continue
            numbers.append(trial.number)
            retries = trial.user_attrs.get(RETRIES, 0) + 1
            if retries > MOST_RETRIES:
                reason = f"its process died, {retries} times"
                Trial(study, trial._trial_id).set_user_attr(REASON, reason)
            study.tell(trial.number, state=TrialState.FAIL)
            if retries <= MOST_RETRIES:
                kept = {k: v for k, v in trial.user_attrs.items() if k != WORKER}
                study.enqueue_trial(trial.params, user_attrs={**kept, RETRIES: retries})
    return tuple(numbers)


def clear(folder: Path) -> None:
    """Remove what trainings of dead processes have left; others may be at work."""
    for left in (folder / WORK).glob("*"):
        if not _is_alive(folder, left.name):
            remove(left)
    with suppress(OSError):  # not empty, or not there
        (folder / WORK).rmdir()


@contextmanager
def _asking(folder: Path) -> Iterator[None]:
    """Let one process at a time begin or fail trials, so that their number is exact."""
    (folder / LOCKS).mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCKS / "ask"):
        yield


def next_trial(folder: Path, study: Study, wanted: int, worker: str) -> Trial | None:
    """Return a new trial of this process; None where as many as wanted are done or running."""
    with _asking(folder):
        if len(counted(study)) >= wanted:
            return None
        trial = study.ask()
        trial.set_user_attr(WORKER, worker)
        return trial


def counted(study: Study) -> list[FrozenTrial]:
    """Return the trials but those that wait, and those that failed as their process died."""
    from optuna.trial import TrialState

    return [
        trial
        for trial in study.get_trials(deepcopy=False)
        if trial.state != TrialState.WAITING
        and (trial.state != TrialState.FAIL or REASON in trial.user_attrs)
    ]


def finished(study: Study) -> list[FrozenTrial]:
    """Return the counted trials that do not run any more."""
    return [trial for trial in counted(study) if trial.state.is_finished()]
