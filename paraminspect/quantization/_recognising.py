"""Recognising: which weights of a tree are quantized, and what stands beside them for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from paraminspect.quantization._conventions import CONVENTIONS, MARKERS, Convention
from paraminspect.tree import Parameter, ParameterTree
from paraminspect.wording import counted

_DTYPES = frozenset().union(*(convention.dtypes for convention in CONVENTIONS))

SHOWN = 3
"""So many names are given."""


@dataclass(frozen=True)
class Quantized:
    """An array of codes: by which convention, what stands beside it, how many weights it is."""

    name: str
    convention: str
    parts: tuple[str, ...]
    scale: str | None
    """The array to multiply the codes by, where that alone makes the weights."""
    count: int | None
    """The number of weights; None if the shapes are not those of the convention."""
    bits: float | None

    @property
    def what(self) -> str:
        """`GPTQ, 4 bits`."""
        bits = f", {self.bits:g} bits" if self.bits and " bits" not in self.convention else ""
        return self.convention + bits


@dataclass(frozen=True)
class Quantization:
    """The quantized weights of a tree by the names of their codes, and whose the parts are."""

    weights: Mapping[str, Quantized]
    parts: Mapping[str, str]

    def count(self, parameter: Parameter) -> int:
        """How many parameters of the model an array is: none if it is a part of another."""
        if parameter.name in self.parts:
            return 0
        found = self.weights.get(parameter.name)
        return parameter.count if found is None or found.count is None else found.count

    def total(self, tree: ParameterTree) -> int:
        """The parameters of the model, a tied array once."""
        return sum(map(self.count, tree.parameters()))

    def lines(self) -> list[str]:
        """What is quantized, a line for each convention."""
        kinds = Counter(found.what for found in self.weights.values())
        return [f"quantized: {counted(count, 'weight')} by {what}" for what, count in kinds.items()]

    def notes(self, names: Iterable[str]) -> list[str]:
        """For those of these names that are quantized: that their values are codes."""
        found = [self.weights[name] for name in names if name in self.weights]
        by_kind: dict[tuple[str, bool], list[str]] = {}
        for one in found:
            by_kind.setdefault((one.what, one.scale is not None), []).append(one.name)
        return [
            f"{_some(some)}: these are codes, not weights: {what}"
            + ("; slice --dequantize and convert --dtype multiply by the scales" * is_scaled)
            for (what, is_scaled), some in by_kind.items()
        ]


def recognise(tree: ParameterTree) -> Quantization:
    """What of a tree is quantized, told by names, dtypes and shapes; no values are read."""
    weights: dict[str, Quantized] = {}
    for name, parameter in tree.entries.items():
        if parameter.dtype.name in _DTYPES:
            found = _quantized(tree.entries, name, parameter)
            if found is not None:
                weights[name] = found
    parts = {part: found.name for found in weights.values() for part in found.parts}
    if weights:
        some = next(iter(weights))
        parts |= {
            name: some for name in tree.entries if name.rpartition(tree.separator)[2] in MARKERS
        }
    return Quantization(weights, parts)


def _quantized(
    entries: Mapping[str, Parameter], name: str, parameter: Parameter
) -> Quantized | None:
    """The first convention that fits; one that does but for the shapes, if there is none."""
    unfit = None
    for row in CONVENTIONS:
        if parameter.dtype.name not in row.dtypes or not name.endswith(row.codes):
            continue
        stem = name.removesuffix(row.codes)
        parts = [stem + part for part in row.parts]
        if not all(part in entries for part in parts):
            continue
        count = row.weights(parameter.shape, [entries[part].shape for part in parts])
        made = _made(entries, row, name, parts, count)
        if count is not None:
            return made
        unfit = unfit or made
    return unfit


def _made(
    entries: Mapping[str, Parameter],
    row: Convention,
    name: str,
    parts: list[str],
    count: int | None,
) -> Quantized:
    module = name.removesuffix(row.codes) if row.codes else name[: name.rfind(".") + 1]
    beside = [module + ending for ending in row.also if module + ending in entries]
    refused = any(module + ending in entries for ending in row.unless)
    is_scaled = row.is_scaled and count is not None and not refused
    bits = 8 * entries[name].nbytes / count if count else None
    scale = parts[0] if is_scaled else None
    return Quantized(name, row.name, (*parts, *beside), scale, count, bits)


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + rest
