"""Which traits have other values in one group of traces than in another."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, pairwise
from typing import Literal, NamedTuple

from msgspec.structs import replace

from bootstrap.collector.asking.questions import Difference, ValueShare
from bootstrap.collector.asking.traits import Trait, Traits, Value
from bootstrap.collector.telemetry.attributes import as_text

_MOST_TRAITS = 20
_MOST_VALUES = 5

_FEW = 10
"""So many different numbers are shown as they are, more of them as ranges."""
_RANGES = 5
_MOSTLY = 0.9
_UNIQUE = 0.8
"""Where so many of the traces have a value that is theirs alone, it is an id, and tells nothing."""
_SURE = 2.5
"""Standard deviations of two samples that are put down to chance."""
_LEAST_SCORE = 0.05


class _Label(NamedTuple):
    kind: Literal["value", "range", "absent"]
    text: str


_ABSENT = _Label("absent", "")
_NOWHERE: set[Value] = set()


def compare(inside: Sequence[Traits], outside: Sequence[Traits]) -> list[Difference]:
    """The traits that differ, the most telling first."""
    if not inside or not outside:
        return []
    found = (_difference(trait, inside, outside) for trait in set(chain(*inside, *outside)))
    telling = [each for each in found if each and each.score >= _LEAST_SCORE]
    telling.sort(key=lambda each: (-round(each.score, 2), each.derived, each.name))
    return _once(telling, [*inside, *outside])[:_MOST_TRAITS]


def _once(telling: Sequence[Difference], traces: Sequence[Traits]) -> list[Difference]:
    """Those with the same values in each trace as one: senders say some things under several names."""
    alike: dict[tuple[frozenset[Value], ...], list[Difference]] = {}
    for each in telling:
        trait = Trait(each.name, each.derived)
        values = tuple(frozenset(traits.get(trait, _NOWHERE)) for traits in traces)
        alike.setdefault(values, []).append(each)
    return [
        replace(first, also=tuple(each.name for each in others)) if others else first
        for first, *others in alike.values()
    ]


def _difference(trait: Trait, inside: Sequence[Traits], outside: Sequence[Traits]) -> Difference | None:
    mine = [traits.get(trait, _NOWHERE) for traits in inside]
    theirs = [traits.get(trait, _NOWHERE) for traits in outside]
    label = _labels([value for values in (*mine, *theirs) for value in values])
    here, there = _traces_by_label(mine, label), _traces_by_label(theirs, label)
    labels = here.keys() | there.keys()
    if _is_id(labels, sum(map(bool, mine)) + sum(map(bool, theirs))):
        return None
    shares = {each: (here[each] / len(mine), there[each] / len(theirs)) for each in labels}
    gaps = {each: _gap(*shares[each], len(mine), len(theirs)) for each in labels}
    usual = max(1.0, (here.total() + there.total()) / (len(mine) + len(theirs)))
    score = max(*gaps.values(), sum(gaps.values()) / 2 / usual)
    most = sorted((each for each in labels if gaps[each]), key=lambda each: (-gaps[each], each))
    return Difference(
        name=trait.name,
        score=min(1.0, score),
        values=[ValueShare(each.text, *shares[each], kind=each.kind) for each in most[:_MOST_VALUES]],
        derived=trait.derived,
    )


def _is_id(labels: Iterable[_Label], traces: int) -> bool:
    values = sum(label.kind == "value" for label in labels)
    return values > _FEW and values >= _UNIQUE * traces


def _traces_by_label(traces: Sequence[set[Value]], label: Callable[[Value], _Label]) -> Counter[_Label]:
    """How many traces have a value with each label."""
    counts: Counter[_Label] = Counter()
    for values in traces:
        counts.update({label(value) for value in values} or {_ABSENT})
    return counts


def _gap(here: float, there: float, inside: int, outside: int) -> float:
    """The distance of two shares, or 0 if samples of this size may well differ as much by chance."""
    together = (here * inside + there * outside) / (inside + outside)
    deviation = math.sqrt(together * (1 - together) * (1 / inside + 1 / outside))
    gap = abs(here - there)
    return gap if gap > _SURE * deviation else 0.0


def _labels(values: Sequence[Value]) -> Callable[[Value], _Label]:
    """How values are told apart: numbers of which there are many by the range that they lie in."""
    numbers = sorted(value for value in values if not isinstance(value, str))
    if len(set(numbers)) <= _FEW or len(numbers) < _MOSTLY * len(values):
        return lambda value: _Label("value", as_text(value))
    cuts = sorted({numbers[len(numbers) * part // _RANGES] for part in range(1, _RANGES)})
    texts = [f"below {as_text(cuts[0])}"]
    texts += [f"{as_text(low)} to {as_text(high)}" for low, high in pairwise(cuts)]
    texts.append(f"from {as_text(cuts[-1])}")

    def label(value: Value) -> _Label:
        if isinstance(value, str):
            return _Label("value", value)
        return _Label("range", texts[bisect_right(cuts, value)])

    return label
