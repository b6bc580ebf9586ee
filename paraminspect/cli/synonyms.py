"""What other programs call an option and what it is called here, for when one is unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

OTHER_WORDS: Mapping[str, str] = {
    "--limit": "--top --head --first --rows --max-rows --count --max -n",
    "--format json": "--json -j",
    "--format jsonl": "--jsonl --ndjson",
    "--format csv": "--csv",
    "--format tsv": "--tsv",
    "--format markdown": "--markdown --md",
    "--format names": "--names --names-only --name-only",
    "--format npy": "--npy --numpy",
    "--format raw": "--raw --binary",
    "--to": "--format --output-format --target-format -f -t",
    "--output": "--out --outfile --out-file --output-file --output-path --dest --save --save-to",
    "--in-place": "--inplace --edit --modify",
    "--force": "--overwrite --clobber --replace --yes -f -y",
    "--dry-run": "--dryrun --simulate --no-act --preview --check -n",
    "--quiet": "--silent --no-progress -s",
    "--exclude": "--skip --ignore --omit --without --except --drop -x",
    "--stats": "--statistics --summary --describe --info",
    "--hist": "--histogram --distribution",
    "--tree": "--nested --hierarchy",
    "--depth": "--level --levels --max-depth -L -d",
    "--sort": "--order --order-by --sort-by -s",
    "--metadata": "--meta --header --attributes",
    "--stored": "--path --paths --stored-path",
    "--optimizer": "--all --with-optimizer --optimizer-state -a",
    "--precision": "--digits --decimals",
    "--dtype": "--type --data-type --torch-dtype --cast-to --float-type --dequantize",
    "--cast unsafe": "--unsafe --lossy --allow-lossy",
    "--max-shard-size": "--shard-size --max-file-size --split",
    "--from": "--values --array --npy --value",
    "--scheme": "--init --initializer --method --weight-init --distribution",
    "--rule": "--rules --param --parameter",
    "--seed": "--random-state --random-seed --rng-seed --manual-seed",
    "--rng": "--generator --prng --random",
    "--missing-from": "--missing --like --add-missing",
    "--checkpoint": "--weights --ckpt --load --load-from --state-dict --params --values",
    "--input": "--inputs --data --x",
    "--steps": "--epochs --iterations --iters --num-steps --max-steps -n",
    "--lr": "--learning-rate --rate --step-size",
    "--batch": "--batch-size",
    "--rtol": "--tolerance --tol --relative --epsilon --eps",
    "--atol": "--absolute",
    "--map": "--rename --renaming --mapping",
    "--find": "--search --list --detect",
    "--undo": "--untie --reverse",
    "PATTERN": "--filter --include --only --pattern --select --name --key --keys --grep -k",
    "ADDRESS": "--filter --include --only --pattern --select --name --key --keys --index -k",
}
"""Ours to theirs. One of theirs may stand for several of ours: the command has one of them."""


def meant(option: str, command: click.Command) -> str | None:
    """What a command has for the option of another program, as a question; None if unknown."""
    for ours, theirs in OTHER_WORDS.items():
        if option in theirs.split() and has(ours, command):
            return repr(ours) if ours.startswith("-") else f"{ours} without an option"
    return None


def has(ours: str, command: click.Command) -> bool:
    """Whether a command has an option, with the choice that stands behind it, or an argument."""
    word, _, choice = ours.partition(" ")
    for parameter in command.params:
        if choice and word in parameter.opts:
            return choice in getattr(parameter.type, "choices", ())
        if word in parameter.opts or word in _argument(parameter):
            return True
    return False


def _argument(parameter: click.Parameter) -> Iterator[str]:
    if isinstance(parameter, click.Argument):
        yield (parameter.metavar or "").strip("[].")
