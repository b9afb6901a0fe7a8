import pytest

from simulacra.datasets.samples import resolve_events, sample_path
from simulacra.errors import EventsError


def test_sources_mean_files():
    assert str(resolve_events("folder/train.h5")) == "folder/train.h5"
    assert resolve_events("sample:train") == sample_path("train")
    assert resolve_events("sample:high") == sample_path("high")
    assert resolve_events("sample:atlas-barrel-photons:test") == sample_path("test")
    assert resolve_events("sample:alice-tpc:test") == sample_path("test", "alice-tpc")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("sample:tset", "no split 'tset'; atlas-barrel-photons has train, selection, test, high"),
        ("sample:alice-tpc:tset", "no split 'tset'"),
        ("sample:alice-tpc:high", "no split 'high'; alice-tpc has train, selection, test"),
        ("sample:alice:train", "no sample 'alice'; the embedded samples are atlas-barrel-photons"),
        ("sample:alice-tpc", "no split 'alice-tpc'"),
        ("sample:", "no split ''"),
    ],
)
def test_unknown_samples_are_named(source, message):
    with pytest.raises(EventsError, match=message):
        resolve_events(source)
