"""Numbers of chunks as text, and their division among jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def as_text(numbers: Sequence[int]) -> str:
    """Return rising numbers as text.

    Example:
        >>> as_text([0, 1, 2, 3, 7, 9, 10])
        '0-3,7,9-10'
    """
    return ",".join(f"{a}-{b}" if b > a else str(a) for a, b in _runs(numbers))


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last one of those that follow one another."""
    start = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
            yield numbers[start], numbers[end - 1]
            start = end


def from_text(text: str) -> list[int]:
    """Return the numbers of a text.

    Example:
        >>> from_text("0-3,7")
        [0, 1, 2, 3, 7]

    Raises:
        ValueError: it is not of that form.
    """
    ends = [item.partition("-") for item in text.split(",")]
    return [n for a, _, b in ends for n in range(int(a), int(b or a) + 1)]


def divided(numbers: Sequence[int], most: int, each: int | None = None) -> list[Sequence[int]]:
    """Return the shares of jobs.

    Args:
        numbers: of chunks.
        most: number of jobs.
        each: chunks of a job; None: as few as ``most`` jobs can take.

    Example:
        >>> divided([1, 2, 3, 4, 5], 2)
        [[1, 2, 3], [4, 5]]
    """
    size = max(each or 1, -(-len(numbers) // most))
    return [numbers[first : first + size] for first in range(0, len(numbers), size)]
