"""Recognising: which weights of a tree are quantized, and what stands beside them for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from paraminspect.errors import Spell, counted, spell_argument
from paraminspect.operations.quantization._conventions import CONVENTIONS, MARKERS, Convention
from paraminspect.tree import Codes, Parameter, ParameterTree

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
        is_told = (
            " bits" in self.convention
            or any(kind in self.convention for kind in ("FP", "INT8"))
            or not self.bits
        )
        return self.convention if is_told else f"{self.convention}, {self.bits:g} bits"


@dataclass(frozen=True)
class Quantization:
    """The quantized weights of a tree by the names of their codes, and whose the parts are."""

    weights: Mapping[str, Quantized]
    parts: Mapping[str, str]

    def lines(self) -> list[str]:
        """What is quantized, for each convention: `3 weights by GPTQ, 4 bits`."""
        kinds = Counter(found.what for found in self.weights.values())
        return [f"{counted(count, 'weight')} by {what}" for what, count in kinds.items()]


def notes(parameters: Iterable[Parameter], spell: Spell = spell_argument) -> list[str]:
    """For those of the parameters that are quantized: that their values are codes, not weights."""
    by_kind: dict[Codes, list[str]] = {}
    for parameter in parameters:
        if parameter.codes is not None and parameter.codes.weights:
            kind = replace(parameter.codes, weights=0)
            by_kind.setdefault(kind, []).append(parameter.name)
    way = f"; use {spell('dequantize', True)}"
    return [
        f"{_some(names)}: codes of quantized weights ({codes.what}), not weights"
        + way * codes.decodable
        for codes, names in by_kind.items()
    ]


def recognise(tree: ParameterTree) -> Quantization:
    """What of a tree is quantized, told by names, dtypes and shapes; no values are read."""
    weights: dict[str, Quantized] = {}
    for name, parameter in tree.entries.items():
        if parameter.data.dtype.name in _DTYPES:  # for each of perhaps 100,000: no call
            found = _quantized(tree.entries, name, parameter)
            if found is not None:
                weights[name] = found
    parts = {part: found.name for found in weights.values() for part in found.parts}
    if weights:
        some = next(iter(weights))
        parts |= {
            name: some
            for name in tree.entries
            if name.rpartition(tree.architecture.separator)[2] in MARKERS
        }
    return Quantization(weights, parts)


def marked(tree: ParameterTree) -> ParameterTree:
    """A tree whose parameters know what codes they are, or of which codes a part."""
    found = recognise(tree)
    if not found.weights:
        return tree
    entries = dict(tree.entries)
    for name, one in found.weights.items():
        count = entries[name].count if one.count is None else one.count
        entries[name] = replace(entries[name], codes=Codes(one.what, count, one.scale is not None))
    for name, codes in found.parts.items():
        entries[name] = replace(entries[name], codes=Codes(f"part of {codes}", 0))
    return replace(tree, entries=entries)


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
    end = max(name.rfind("."), name.rfind("/")) + 1
    module = name.removesuffix(row.codes) if row.codes else name[:end]
    beside = [module + ending for ending in row.also if module + ending in entries]
    refused = any(module + ending in entries for ending in row.unless)
    is_scaled = row.is_scaled and count is not None and not refused
    bits = 8 * entries[name].nbytes / count if count else None
    scale = parts[0] if is_scaled else None
    return Quantized(name, row.name, (*parts, *beside), scale, count, bits)


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + rest
