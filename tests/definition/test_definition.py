"""Definitions: texts and the names and ties they give; broken texts and what is said of them."""

import os
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paraminspect.definition import load_definition
from paraminspect.errors import DefinitionError
from paraminspect.frameworks import defined, load_modelling
from paraminspect.source import open_source

PYTORCH = "framework: pytorch\n"


def load(text, head=PYTORCH):
    return load_definition((head + textwrap.dedent(text)).encode(), "m.yaml")


def listed(tree):
    return {name: list(p.shape) for name, p in tree.items()}


TEXTS = {
    "a call": ("layers: Linear(2, 3)", "weight bias", {}),
    "a sequence": ("layers:\n  - Linear(2, 3)\n  - ReLU()\n  - Linear(3, 1, bias=False)",
                   "0.weight 0.bias 2.weight", {}),
    "a sequence of sequences": ("layers:\n  - - Linear(2, 2)\n    - [ReLU()]\n  - - ReLU()\n    - Linear(2, 1)",
                                "0.0.weight 0.0.bias 1.1.weight 1.1.bias", {}),
    "named children": ("layers:\n  fc: Linear(2, 2)\n  head: [ReLU(), PReLU()]",
                       "fc.weight fc.bias head.1.weight", {}),
    "an empty sequence, as a shortcut": ("layers: {short: [], fc: PReLU()}", "fc.weight", {}),
    "quoted calls in flow style": ("layers: ['Linear(2, 3)', \"PReLU(3)\"]",
                                   "0.weight 0.bias 1.weight", {}),
    "sizes by name": ("let: {d: 2, e: 3*d}\nlayers: Linear(e, d // 1)", "weight bias", {}),
    "lists by name": ("let: {k: [1, 2]}\nlayers: Conv2d(1, 1, k)", "weight bias", {}),
    "strings by name": ("let: {mode: \"'zeros'\", other: 'circular'}\nlayers:\n  - Conv1d(1, 1, 1, padding_mode=other)",
                        "0.weight 0.bias", {}),
    "a block": ("define:\n  b(d):\n    - Linear(d, 2*d)\nlayers:\n  - b(1)\n  - b(d=2)",
                "0.0.weight 0.0.bias 1.0.weight 1.0.bias", {}),
    "a block with defaults that know sizes": (
        "let: {w: 2}\ndefine:\n  b(d, k=w+1):\n    c: Conv1d(d, d, k)\nlayers: [b(2), 'b(2, 1)']",
        "0.c.weight 0.c.bias 1.c.weight 1.c.bias", {}),
    "a block in a block": ("define:\n  a(d): b(2*d)\n  b(d): PReLU(d)\nlayers: a(2)", "weight", {}),
    "a layer given to a block": ("define:\n  b(act): [act, PReLU()]\nlayers: b(PReLU(2))",
                                 "0.weight 1.weight", {}),
    "a layer given to a block and used twice": (
        "define:\n  b(act): [act, act]\nlayers: b(PReLU())", "0.weight 1.weight",
        {"1.weight": "0.weight"}),
    "repetition by number": ("layers:\n  - PReLU(2)\n  - 2 * PReLU()\n  - PReLU(3)",
                             "0.weight 1.weight 2.weight 3.weight", {}),
    "repetition of a named part": ("layers:\n  h: 3 * PReLU()", "h.0.weight h.1.weight h.2.weight", {}),
    "repetition by name": ("layers:\n  - repeat: 2\n    name: block {i}\n    of: PReLU()\n  - PReLU()",
                           "block 0.weight block 1.weight 2.weight", {}),
    "repetition by a computed name": ("layers:\n  repeat: 2\n  name: b{10*i+1}\n  of: PReLU()",
                                      "b1.weight b11.weight", {}),
    "repetition of a nested block": (
        "let: {n: 2}\nlayers:\n  - repeat: n\n    of:\n      - PReLU()\n      - ReLU()\n      - PReLU()",
        "0.0.weight 0.2.weight 1.0.weight 1.2.weight", {}),
    "a shared layer": ("share: {s: PReLU()}\nlayers: [s, ReLU(), s]", "0.weight 2.weight",
                       {"2.weight": "0.weight"}),
    "a shared layer repeated": ("share: {s: PReLU()}\nlayers: 3 * s", "0.weight 1.weight 2.weight",
                                {"1.weight": "0.weight", "2.weight": "0.weight"}),
    "a shared block": (
        "define:\n  b(): {u: PReLU(), v: PReLU()}\nshare: {s: b()}\nlayers: {x: s, y: s}",
        "x.u.weight x.v.weight y.u.weight y.v.weight",
        {"y.u.weight": "x.u.weight", "y.v.weight": "x.v.weight"}),
    "a shared parameter": ("share: {p: Parameter(3)}\nlayers: {a: p, fc: PReLU(), b: p}",
                           "a b fc.weight", {"b": "a"}),
    "one shared layer in two deep copies": (
        "share: {s: PReLU()}\nlayers:\n  e: TransformerEncoder(s, 2)\n  t: s",
        "e.layers.0.weight e.layers.1.weight t.weight", {}),
    "ties": ("layers: {a: PReLU(), b: PReLU(), c: PReLU()}\nties: {c.weight: b.weight, b.weight: a.weight}",
             "a.weight b.weight c.weight", {"b.weight": "a.weight", "c.weight": "a.weight"}),
    "ties whose own name is the first": ("layers: {a: PReLU(), b: PReLU()}\nties: {a.weight: b.weight}",
                                         "a.weight b.weight", {"b.weight": "a.weight"}),
    "a parameter and a buffer before parts": (
        "layers:\n  fc: PReLU()\n  mask: Buffer(2, dtype='bool')\n  scale: Parameter()",
        "scale mask fc.weight", {}),
    "a list of parameters": ("layers: {p: [Parameter(1), 'Parameter(2, 3)']}", "p.0 p.1", {}),
    "sizes from the input": (
        "input: [3, 8, 8]\nlayers:\n  - LazyConv2d(4, 3)\n  - LazyBatchNorm2d(affine=False)\n  - Flatten()\n  - LazyLinear(2, bias=False)",
        "0.weight 0.bias 1.running_mean 1.running_var 1.num_batches_tracked 3.weight", {}),
    "an anchor and its alias": ("define:\n  b():\n    - &x PReLU()\n    - *x\nlayers: b()",
                                "0.weight 1.weight", {}),
    "comments, folded lines, odd spaces": (
        "layers:   # all of it\n  - Linear(2,\n      3)   # two lines\n  -   PReLU( )",
        "0.weight 0.bias 1.weight", {}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "names", "ties"), TEXTS.values(), ids=TEXTS)
def test_a_definition_gives_these_names_and_ties(text, names, ties):
    tree = load(text)
    # A name may hold a space ("block 0.weight"): compare what is written, not what is split.
    assert " ".join(tree) == names
    assert tree.ties == ties


@pytest.mark.parametrize("style", ["long", "short"])
def test_both_forms_of_a_repetition_are_one(style):
    text = {
        "short": "layers: {h: 3 * block(2)}",
        "long": "layers:\n  h: {repeat: 3, of: block(2)}",
    }[style]
    tree = load(f"define:\n  block(d): ['Linear(d, d)']\n{text}")
    assert list(tree) == [f"h.{i}.0.{p}" for i in range(3) for p in ("weight", "bias")]


def test_a_parameter_knows_everything_but_its_values():
    tree = load(
        "layers: {conv: 'Conv2d(4, 6, 3, groups=2)', bn: BatchNorm2d(6), c: 'Conv1D(9, 3)'}"
    )
    weight = tree["conv.weight"]
    assert (weight.shape, weight.dtype.name, weight.trainable) == ((6, 2, 3, 3), "float32", True)
    assert (weight.layer, weight.layout, weight.fans) == ("Conv2d", "out_in", (18, 54))
    assert weight.scheme == "kaiming_uniform(a=5**0.5)"
    assert tree["conv.bias"].scheme == "uniform(-1/sqrt(18), 1/sqrt(18))"
    assert tree["bn.running_var"].trainable is False
    assert tree["bn.num_batches_tracked"].dtype.name == "int64"
    assert (tree["c.weight"].layout, tree["c.weight"].fans) == ("in_out", (3, 9))
    assert tree.totals.count == 18 * 6 + 6 + 4 * 6 + 1 + 27 + 9
    assert tree.totals.trainable == 18 * 6 + 6 + 2 * 6 + 27 + 9


def test_totals_count_a_tied_array_once():
    tree = load("share: {s: 'Linear(8, 8)'}\nlayers: ['Linear(4, 8)', s, s, 'Linear(8, 1)']")
    assert (tree.totals.names, tree.totals.arrays) == (8, 6)
    assert tree.totals.count == tree.totals.trainable == 40 + 72 + 9
    assert tree.totals.nbytes == 4 * tree.totals.count
    assert tree["1.weight"].data is tree["2.weight"].data


def test_the_last_rule_that_matches_gives_the_scheme():
    tree = load(
        """
        let: {s: 0.02}
        layers: {wte: 'Embedding(9, 4)', ln: LayerNorm(4), head: 'Linear(4, 9, bias=False)'}
        ties: {head.weight: wte.weight}
        init:
          '*.weight': normal(0, s)
          ln.*: ones
          ln.b?as: zeros
        """
    )
    schemes = {name: p.scheme for name, p in tree.items()}
    assert schemes == {
        "wte.weight": "normal(0, 0.02)",
        "ln.weight": "ones",
        "ln.bias": "zeros",
        "head.weight": "normal(0, 0.02)",
    }


def test_a_rule_for_an_alias_is_one_for_the_array():
    text = "layers: {a: PReLU(), b: PReLU()}\nties: {b.weight: a.weight}\ninit: {b.*: zeros}"
    assert [p.scheme for p in load(text).values()] == ["zeros", "zeros"]


def test_a_tied_name_tells_of_the_array_that_is_kept():
    tree = load(
        "layers: {a: 'Embedding(9, 4, _freeze=True)', b: 'Linear(4, 9)'}\nties: {b.weight: a.weight}"
    )
    kept, alias = tree["a.weight"], tree["b.weight"]
    assert (alias.scheme, alias.trainable, alias.layer) == (kept.scheme, False, "Linear")


NOT_YAML = {
    "nothing": ("", "the definition is empty"),
    "only a comment": ("# nothing\n", "the definition is empty"),
    "a list": ("- a", r"a definition is a mapping with 'framework' and 'layers', got a sequence \(line 1\)"),
    "two documents": ("a: 1\n---\nb: 2", r"expected one document, got another @ \$ \(line 2\)"),
    "a tag": ("layers: !!python/object/apply:os.system [ls]", r"tags are not part of the language, got .* @ \$\.layers \(line 1\)"),
    "a duplicate key": ("layers:\n  fc: ReLU()\n  fc: ReLU()", r"duplicate key 'fc', first on line 2 @ \$\.layers \(line 3\)"),
    "a merge key": ("a: &a {x: 1}\nb: {<<: *a}", r"merge keys are not part of the language @ \$\.b \(line 2\)"),
    "a key that is a list": ("? [a]\n: b", r"a key must be a string @ \$ \(line 1\)"),
    "an unknown alias": ("a: *b", "found undefined alias|unknown alias"),
    "an alias in itself": ("layers: &a\n  - *a", r"the alias \*a contains itself @ \$\.layers\[0\] \(line 2\)"),
    "an alias bomb": ("a: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"b{i}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]\n" for i in range(8)), "aliases stand for more than 100000 nodes: too large"),
    "lists in lists": ("a: " + "[" * 500, r"nested deeper than 32 levels @ \$\.a\[0\]\[0\]"),
    # libyaml from 0.2.6 on gives up before our reader sees anything.
    "very many lists in lists": ("a: " + "[" * 50_000, "nested deeper than 32 levels|not YAML: exceeded maximum nesting depth"),
    "too many bytes": ("#" * (1 << 20) + "\n", "a definition has at most 1048576 bytes, this one has 1048577"),
    "a tab": ("layers:\n\t- ReLU()", r"not YAML: a tab cannot indent: use spaces \(line 2\)"),
    "an open string": ("a: 'b", "not YAML: found unexpected end of stream"),
    "a missing indent": ("layers:\n  - ReLU()\n - ReLU()", r"not YAML: .* \(line 3\)"),
    "bytes of Latin-1": ("é".encode("latin-1"), r"not UTF-8: byte 0xe9 \(line 1\)"),
    "UTF-16": ("a: b".encode("utf-16"), "not UTF-8"),
    "a byte order mark": ("\ufeffa: b", "begins with a byte order mark"),
    "a control character": ("a: \x07", "not YAML: "),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), NOT_YAML.values(), ids=NOT_YAML)
def test_what_is_not_the_yaml_of_a_definition_is_refused_with_its_line(text, message):
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(DefinitionError, match=f"^m.yaml: ({message})") as caught:
        load_definition(data, "m.yaml")
    assert "\n" not in str(caught.value)


BROKEN = {
    # the top
    "no framework": ("layers: ReLU()", r"a definition needs 'framework', one of pytorch, keras, mxnet @ \$ \(line 1\)"),
    "another framework": ("framework: pytroch\nlayers: ReLU()", r"unknown framework 'pytroch', .*did you mean 'pytorch'\? @ \$\.framework \(line 1\)"),
    "a list of frameworks": ("framework: [pytorch]", r"expected one of pytorch, keras, mxnet @ \$\.framework"),
    "no layers": (PYTORCH + "let: {d: 2}", r"a definition needs 'layers' @ \$ \(line 1\)"),
    "empty layers": (PYTORCH + "layers: []", r"there are no layers @ \$\.layers \(line 2\)"),
    "layers of nothing": (PYTORCH + "layers:", r"expected a layer, got nothing @ \$\.layers \(line 2\)"),
    "another keyword": (PYTORCH + "layer: ReLU()", r"unknown keyword 'layer', did you mean 'layers'\?; known are framework, input, .* @ \$\.layer \(line 2\)"),
    "names of another framework": (PYTORCH + "names: structural\nlayers: ReLU()", r"unknown names 'structural' for pytorch, known are none: leave `names` out @ \$\.names \(line 2\)"),
    # calls
    "an unknown layer": (PYTORCH + "layers:\n  - ReLU()\n  - Liner(4, 8)", r"unknown layer 'Liner', did you mean 'Linear'\? @ \$\.layers\[1\] \(line 4\)"),
    "a layer of another framework": (PYTORCH + "layers: Dense(8)", r"Dense is a layer of keras and mxnet: in pytorch it is Linear @ \$\.layers"),
    "one under its other name there": (PYTORCH + "layers: Convolution2D(3, 3)", r"is a layer of keras: in pytorch it is Conv2d"),
    "one that is called otherwise": ("framework: keras\nlayers: SiLU()", r"SiLU is a layer of pytorch: in keras it is Activation\('silu'\)"),
    "one that is nowhere else": ("framework: mxnet\nlayers: Bilinear2()", "unknown layer 'Bilinear2'"),
    "a bare one": (PYTORCH + "layers: Dense", "Dense is a layer of keras and mxnet: in pytorch it is Linear"),
    "a framework by another name": ("framework: torch\nlayers: ReLU()", r"expected one of pytorch, keras, mxnet, did you mean 'pytorch'\? @ \$\.framework"),
    "tensorflow": ("framework: tensorflow\nlayers: ReLU()", r"did you mean 'keras'\?"),
    "tf": ("framework: tf\nlayers: ReLU()", r"did you mean 'keras'\?"),
    "a layer in lower case": (PYTORCH + "layers: relu()", r"unknown layer 'relu', did you mean 'ReLU'\?"),
    "a layer far from all": (PYTORCH + "layers: Qqqq()", r"unknown layer 'Qqqq'; known are Linear, LazyLinear, .*, \.\.\. @ \$\.layers \(line 2\)"),
    "an unknown layer in an argument": (PYTORCH + "layers: TransformerEncoder(TransformrEncoderLayer(4, 2), 2)", r"unknown layer 'TransformrEncoderLayer', did you mean 'TransformerEncoderLayer'"),
    "an unknown argument": (PYTORCH + "layers: {fc: 'Linear(4, 8, biass=False)'}", r"Linear\(\) has no argument 'biass', did you mean 'bias'\?; it takes in_features, out_features, bias, device, dtype @ \$\.layers\.fc \(line 2\)"),
    "a missing argument": (PYTORCH + "layers: Linear(4)", r"missing a required argument: 'out_features'; it takes in_features"),
    "too many arguments": (PYTORCH + "layers: ReLU(True, 3)", r"ReLU\(\) is wrong: too many positional arguments; it takes inplace"),
    "no arguments at all": (PYTORCH + "layers: Tanh(3)", r"Tanh\(\) is wrong: too many positional arguments; it takes nothing"),
    "an argument of another type": (PYTORCH + "layers: Linear(4, 8.0)", r"Linear: out_features must be an integer from 0 to 2147483647, got 8\.0"),
    "a truth value as a size": (PYTORCH + "layers: Linear(True, 8)", "in_features must be an integer .*, got True"),
    "a size too large": (PYTORCH + "layers: Linear(2**31, 8)", "in_features must be an integer .*, got 2147483648"),
    "an unknown choice": (PYTORCH + "layers: Conv2d(1, 1, 1, padding_mode='zero')", "padding_mode must be one of zeros, reflect, replicate, circular, got 'zero', did you mean 'zeros'"),
    "an unknown dtype": (PYTORCH + "layers: Linear(1, 1, dtype='flaot16')", "dtype must be the name of a dtype or None, got 'flaot16', did you mean 'float16'"),
    "post_init of a framework without it": ("framework: mxnet\nlayers: {a: Flatten()}\npost_init: [a]", "mxnet has no post_init: the models of transformers do"),
    "a dtype of torch": (PYTORCH + "layers: Linear(1, 1, dtype=torch.float16)", "there is no torch here: write 'float16' for torch.float16"),
    "a dtype that cannot be trained": (PYTORCH + "layers: Linear(1, 1, dtype='int8')", "dtype must be one of float16, .*, got int8"),
    "too many axes": (PYTORCH + f"layers: {{p: 'Parameter({'1, ' * 64}1)'}}", "an array has at most 64 axes, got 65"),
    "a tensor": (PYTORCH + "layers: Embedding(2, 2, _weight=3)", "_weight must be left out: a definition cannot write it, got 3"),
    "a layer not called": (PYTORCH + "layers: [ReLU]", r"ReLU is a layer: write ReLU\(\) @ \$\.layers\[0\]"),
    "a layer not called in an argument": (PYTORCH + "layers: TransformerEncoder(ReLU, 2)", r"ReLU is a function: write ReLU\(\.\.\.\)"),
    "a number": (PYTORCH + "layers: [3]", r"expected a layer like Linear\(4, 8\) or 12 \* block\(d\), got '3' @ \$\.layers\[0\]"),
    "a sum of layers": (PYTORCH + "layers: ReLU() + ReLU()", "expected a layer like"),
    "a repetition the wrong way": (PYTORCH + "layers: ReLU() * 3", r"expected a layer like Linear\(4, 8\) or 12 \* block\(d\)"),
    "an open bracket": (PYTORCH + "layers: Linear(4, 8", r"cannot read 'Linear\(4, 8': '\(' was never closed @ \$\.layers \(line 2\)"),
    "a call that YAML split": (PYTORCH + "layers: [Linear(4, 8), ReLU()]", r"the comma in YAML's flow style split a call, got 'Linear\(4': write each call on its own line, or quote it @ \$\.layers\[0\]"),
    "a loss": (PYTORCH + "layers: [ReLU(), MSELoss()]", "MSELoss is not called in a definition: a loss is not a layer: leave it out"),
    "Sequential": (PYTORCH + "layers: Sequential(ReLU())", "Sequential is not called in a definition: write a list"),
    # names
    "an unknown name": (PYTORCH + "let: {dim: 3}\nlayers: Linear(dimm, 3)", r"unknown name 'dimm', did you mean 'dim'\? @ \$\.layers \(line 3\)"),
    "a name far from all": (PYTORCH + "let: {dim: 3}\nlayers: Linear(q, 3)", r"unknown name 'q'; known are dim"),
    "a size as a layer": (PYTORCH + "let: {d: 3}\nlayers: [d]", "d is 3, expected a layer"),
    "yes": (PYTORCH + "layers: ReLU(yes)", "unknown name 'yes': write True"),
    "null": (PYTORCH + "layers: Softmax(null)", "unknown name 'null': write None"),
    "a string without quotes": (PYTORCH + "let: {act: relu}\nlayers: ReLU()", r"unknown name 'relu': a string needs quotes @ \$\.let\.act \(line 2\)"),
    "a size before its name": (PYTORCH + "let: {a: b, b: 3}\nlayers: ReLU()", r"unknown name 'b': a string needs quotes @ \$\.let\.a"),
    "a mapping as a size": (PYTORCH + "let: {a: {b: 3}}\nlayers: ReLU()", r"expected a value, got a mapping @ \$\.let\.a"),
    "a list of sizes": (PYTORCH + "let: [3]\nlayers: ReLU()", r"expected a mapping @ \$\.let \(line 2\)"),
    "a name with a space": (PYTORCH + "let: {a b: 3}\nlayers: ReLU()", r"a name here is made of letters, digits and _, got 'a b' @ \$\.let\.a b"),
    "a size and a layer of one name": (PYTORCH + "let: {s: 3}\nshare: {s: ReLU()}\nlayers: [s]", r"'s' is defined already @ \$\.share\.s \(line 3\)"),
    "a shared layer with a layer's name": (PYTORCH + "share: {ReLU: ReLU()}\nlayers: [ReLU]", "'ReLU' is the name of a layer already"),
    "a shared layer called": (PYTORCH + "share: {s: ReLU()}\nlayers: [s, s()]", "s is a shared layer: write it without parentheses"),
    "a name with a dot": (PYTORCH + "layers: {a.b: ReLU()}", "a name has no dot in PyTorch, got 'a.b'"),
    "a name that cannot be printed": (PYTORCH + 'layers: {"a\\e": ReLU()}', r"a name is printable text .* @ \$\.layers \(line 2\)"),
    "a name too long": (PYTORCH + f"layers: {{{'n' * 201}: ReLU()}}", "a name is printable text of 200 characters at most"),
    "a bare parameter without a name": (PYTORCH + "layers: Parameter(3)", "a bare parameter needs a name: write a mapping"),
    "a parameter among layers": (PYTORCH + "layers: [Parameter(3), ReLU()]", r"a list holds layers or parameters, not both: use a mapping @ \$\.layers"),
    "two layers of one name": (PYTORCH + "layers:\n  - ReLU()\n  - {repeat: 1, name: '0', of: ReLU()}", r"two layers are named '0' @ \$\.layers\[1\] \(line 4\)"),
    # blocks
    "a block without brackets": (PYTORCH + "define:\n  b: ReLU()\nlayers: b()", r"a block is named like a call, block\(d\), got 'b' @ \$\.define\.b \(line 3\)"),
    "a block with a layer's name": (PYTORCH + "define:\n  ReLU(): PReLU()\nlayers: ReLU()", "'ReLU' is the name of a layer already"),
    "a block with a sequence's name": (PYTORCH + "define:\n  Sequential():\n    a: ReLU()\nlayers: Sequential()", "'Sequential' is the name of a layer already"),
    "two blocks of one name": (PYTORCH + "define:\n  b(): ReLU()\n  b(d): ReLU()\nlayers: b()", "'b' is the name of a block already"),
    "a number as a parameter": (PYTORCH + "define:\n  b(3): ReLU()\nlayers: b(3)", r"the parameters of b must be names, got 'b\(3\)'"),
    "one parameter twice": (PYTORCH + "define:\n  b(d, d): ReLU()\nlayers: b(3, 3)", "duplicate parameter name: 'd'"),
    "a default of an unknown name": (PYTORCH + "define:\n  b(d=x): ReLU()\nlayers: b()", r"unknown name 'x' @ \$\.define\.b\(d=x\)"),
    "a block without its argument": (PYTORCH + "define:\n  b(d): PReLU(d)\nlayers: b()", r"b\(\) is wrong: missing a required argument: 'd'; it takes d @ \$\.layers \(line 4\)"),
    "a block with another argument": (PYTORCH + "define:\n  b(d): PReLU(d)\nlayers: b(e=3)", r"b\(\) has no argument 'e'; it takes d"),
    "a block that fails inside": (PYTORCH + "define:\n  b(d):\n    - PReLU(d)\nlayers:\n  - b(-3)", r"PReLU: num_parameters must be an integer .*, got -3 @ \$\.define\.b\(d\)\[0\] \(line 4\), called from \$\.layers\[0\] \(line 6\)"),
    "a block in itself": (PYTORCH + "define:\n  a(): [b()]\n  b(): [a()]\nlayers: a()", r"the block 'a' uses itself: blocks cannot recurse @ .* called from \$\.layers \(line 5\)"),
    # repetitions
    "a repetition of nothing": (PYTORCH + "layers: {repeat: 3}", r"a repetition needs 'of': what to repeat @ \$\.layers"),
    "a repetition without a number": (PYTORCH + "layers: {of: ReLU()}", "a repetition needs 'repeat': how many times"),
    "a repetition misspelt": (PYTORCH + "layers: {repeats: 3, of: ReLU()}", "a repetition has repeat, of and name, not 'repeats', did you mean 'repeat'"),
    "no repetition": (PYTORCH + "layers: 0 * ReLU()", "repeat must be an integer from 1 to the limit of 10000, got 0"),
    "half a repetition": (PYTORCH + "layers: {repeat: 1.5, of: ReLU()}", r"repeat must be an integer .*, got 1\.5 @ \$\.layers\.repeat"),
    "a repetition too long": (PYTORCH + "layers: 10**9 * ReLU()", "repeat must be an integer from 1 to the limit of 10000, got 1000000000"),
    "an unknown name in a name": (PYTORCH + "layers: {repeat: 2, name: '{j}', of: ReLU()}", r"unknown name 'j'; known are i @ \$\.layers\.name"),
    "equal names": (PYTORCH + "layers: {repeat: 2, name: a, of: ReLU()}", r"two layers are named 'a' @ \$\.layers"),
    # the input
    "no input": (PYTORCH + "layers:\n  - ReLU()\n  - LazyLinear(2)", r"1: LazyLinear needs the shape of its input: give the shape of one example with `input:` @ \$\.layers\[1\] \(line 4\)"),
    "an input that is lost": (PYTORCH + "input: [3]\nlayers:\n  - Bilinear(3, 3, 3)\n  - - LazyLinear(2)", r"1\.0: LazyLinear needs the shape of its input: it is not known after 0: Bilinear\(3, 3, 3\) @ \$\.layers\[1\]\[0\] \(line 5\)"),
    "an input of a part": (PYTORCH + "input: [3]\nlayers:\n  a: ReLU()\n  b: LazyLinear(2)", r"b: LazyLinear needs the shape of its input: what reaches the parts of a mapping is for its forward to say: give sizes, or use a list @ \$\.layers\.b"),
    "an input that does not fit": (PYTORCH + "input: [3]\ndefine:\n  b():\n    - Linear(4, 2)\nlayers:\n  - LazyLinear(5)\n  - b()", r"1\.0: expected an input of 4 features, got \[5\] @ \$\.define\.b\(\)\[0\] \(line 5\)"),
    "a layer shared with two inputs": (PYTORCH + "input: [3]\nshare: {s: LazyLinear(2)}\nlayers: [s, s]", r"the layer shared by '0\.weight' and '1\.weight' would have shape \[2, 3\] in one place and \[2, 2\] in the other"),
    "a number as the input": (PYTORCH + "input: 3\nlayers: ReLU()", r"expected the list of sizes of one example, like \[3, 32, 32\], got '3' @ \$\.input \(line 2\)"),
    "no size in the input": (PYTORCH + "input: [3, 0]\nlayers: ReLU()", "a shape is made of integers from 1 on, got 0"),
    # ties and schemes
    "a tie of an unknown name": (PYTORCH + "layers: {a: PReLU(), b: PReLU()}\nties: {b.weigth: a.weight}", r"no parameter matches 'b\.weigth', the nearest is 'b\.weight' @ \$\.ties\.b\.weigth \(line 3\)"),
    "a tie to a module": (PYTORCH + "layers: {a: PReLU(), b: PReLU()}\nties: {b.weight: a}", r"no parameter matches 'a', did you mean 'a\.\*'"),
    "a tie of other shapes": (PYTORCH + "layers: {a: PReLU(2), b: PReLU(3)}\nties: {b.weight: a.weight}", r"cannot tie 'b\.weight' to 'a\.weight': float32\[3\] is not float32\[2\] @ \$\.ties\.b\.weight"),
    "a tie of other dtypes": (PYTORCH + "layers: {a: PReLU(), b: 'PReLU(dtype=\"float64\")'}\nties: {b.weight: a.weight}", r"float64\[1\] is not float32\[1\]"),
    "a tie to itself": (PYTORCH + "layers: {a: PReLU()}\nties: {a.weight: a.weight}", r"the ties form a cycle: a\.weight -> a\.weight"),
    "a cycle of ties": (PYTORCH + "layers: {a: PReLU(), b: PReLU(), c: PReLU()}\nties:\n  a.weight: b.weight\n  b.weight: c.weight\n  c.weight: a.weight", r"the ties form a cycle: c\.weight -> a\.weight -> b\.weight -> c\.weight @ \$\.ties\.c\.weight \(line 6\)"),
    "a tie of what is tied": (PYTORCH + "share: {s: PReLU()}\nlayers: {a: s, b: s}\nties: {b.weight: a.weight}", r"'b\.weight' and 'a\.weight' are one array already"),
    "a list as a target": (PYTORCH + "layers: {a: PReLU(), b: PReLU()}\nties: {b.weight: [a.weight]}", r"expected the name of a parameter @ \$\.ties\.b\.weight"),
    "a list of ties": (PYTORCH + "layers: ReLU()\nties: [a]", r"expected a mapping from aliases to names @ \$\.ties"),
    "a rule for nothing": (PYTORCH + "layers: {a: PReLU()}\ninit: {'b.*': zeros}", r"no parameter matches 'b\.\*' @ \$\.init\.b\.\* \(line 3\)"),
    "a rule that is cut": (PYTORCH + "layers: {a: PReLU()}\ninit: {'*': 'normal(0,'}", r"cannot read 'normal\(0,': '\(' was never closed @ \$\.init\.\*"),
    "a scheme that is cut": (PYTORCH + "layers: {a: 'Parameter(3, init=\"normal(\")'}", r"cannot read 'normal\(': '\(' was never closed @ \$\.layers\.a"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_definition_names_the_place_and_what_would_be_right(text, message):
    with pytest.raises(DefinitionError, match=message) as caught:
        load_definition(text.encode(), "m.yaml")
    told = str(caught.value)
    assert told.startswith("m.yaml: ")
    assert told.count("m.yaml") == 1
    assert told.count(" @ $") == 1
    assert " (line " in told
    assert "\n" not in told


CHAIN = "".join(f"  b{i}(): {f'[b{i - 1}()]' if i else 'ReLU()'}\n" for i in range(2000))
DOUBLED = "define:\n  t(x): Transformer(4, 2, custom_encoder=x, custom_decoder=x)\n"
TOO_LARGE = {
    "repetitions of repetitions": ("layers: {repeat: 10000, of: {repeat: 10000, of: ReLU()}}", "100000000 repetitions are over the limit of 200000"),
    "blocks of blocks": ("define:\n" + "".join(f"  b{i}(): [{', '.join([f'b{i - 1}()'] * 10) if i else 'ReLU()'}]\n" for i in range(9)) + "layers: b8()", "more layers than the limit of 200000"),
    "a chain of blocks": (f"define:\n{CHAIN}layers: b1999()", "nested deeper than 64 levels of blocks and lists"),
    "copies of copies": ("layers: TransformerEncoder(TransformerEncoder(ReLU(), 10000), 10000)", "made of more than 300000 layers"),
    "layers in layers": ("define:\n  t(x): " + "TransformerEncoder(" * 40 + "x" + ", 1)" * 40 + "\nlayers: " + "t(" * 40 + "ReLU()" + ")" * 40, "the model is nested too deep"),
    "doubled forty times": (DOUBLED + "layers: " + "t(" * 40 + "ReLU()" + ")" * 40, "Transformer is made of more than 300000 layers"),
    "copied twice forty times": ("layers: " + "TransformerEncoder(" * 40 + "ReLU()" + ", 2)" * 40, "is made of more than 300000 layers"),
    "a deep stack": ("layers: LSTM(1, 1, 10**9)", "num_layers must be an integer from 0 to 10000"),
    "many deep stacks": ("layers: 100 * LSTM(1, 1, 10000)", "more layers and parameters than the limit"),
    "many elements": ("layers:\n  - 4 * Linear(2**31 - 1, 2**31 - 1)", r"too large: '2\.weight' brings the model over 2\*\*63 elements"),
    "long names": ("define:\n" + "".join(f"  b{i}(): {{{'k' * 200}: {f'b{i - 1}()' if i else 'PReLU()'}}}\n" for i in range(3)) + "layers: b2()", "a name has at most 500 characters: 'kkk"),
    "long lists": ("let:\n  a0: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(f"  a{i}: a{i - 1} + a{i - 1}\n" for i in range(1, 30)) + "layers: ReLU()", "a value is too large: the limit is 10000 items"),
    "many names": ("let:\n" + "".join(f"  a{i}: 1\n" for i in range(1001)) + "layers: ReLU()", "more names than the limit of 1000"),
    "a power": ("let: {a: 9**9**9}\nlayers: ReLU()", "is too large: the limit is 2"),
    "operations in operations": ("let:\n  a: 1" + " + 1" * 900 + "\nlayers: ReLU()", "nested too deep|levels of operations"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_would_take_all_memory_or_time_is_refused_before_it_does(text, message):
    with pytest.raises(DefinitionError, match=message):
        load(text)


def test_a_pattern_of_many_stars_takes_no_time():
    name = "a" * 150
    text = f"layers: {{{name}: PReLU()}}\ninit: {{'{'*a' * 60}b': zeros}}"
    with pytest.raises(DefinitionError, match="no parameter matches"):
        load(text)


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_any_text_is_a_model_or_one_clear_line(text):
    for data in (text, PYTORCH + text, PYTORCH + "layers:\n  - " + text):
        told = "m.yaml: "
        try:
            load_definition(data.encode("utf-8", "surrogatepass"), "m.yaml")
        except DefinitionError as error:
            told = str(error)
        assert told.startswith("m.yaml: ")
        assert "\n" not in told


def test_a_definition_is_read_from_a_file_a_folder_and_standard_input(tmp_path):
    text = PYTORCH + "layers: Linear(2, 3)\n"
    (tmp_path / "model.yaml").write_text(text)
    (tmp_path / "net.yml").write_text(text)
    expected = {"weight": [3, 2], "bias": [3]}
    assert listed(open_source(str(tmp_path / "net.yml"))) == expected
    assert listed(open_source(str(tmp_path))) == expected
    command = [sys.executable, "-m", "paraminspect", "list", "-", "--format", "names"]
    process = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert process.stdout.split() == ["weight", "bias"]
    process = subprocess.run(
        command, input="layers: 3", capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith("paraminspect: -: a definition needs 'framework'")
    assert process.stderr.count(os.linesep) == 1


def test_every_concept_names_layers_that_a_framework_has():
    for name in defined():
        _, modelling = load_modelling(name)
        for calls in modelling.concepts.values():
            layers = {call.partition("(")[0] for call in calls} - {"a list"}
            assert layers <= set(modelling.layers), (name, layers)


OPEN = "framework: keras\ninput: [null, null, 3]\nlayers:\n- Conv2D(8, 3)\n- MaxPooling2D(2)\n- {}\n- Dense(2)\n"


def test_an_open_length_of_the_input_is_null():
    net = load_definition(OPEN.format("GlobalAveragePooling2D()").encode(), "m.yaml")
    closed = OPEN.replace("null, null", "32, 32").format("GlobalAveragePooling2D()")
    of_32 = load_definition(closed.encode(), "m.yaml")
    assert {n: p.shape for n, p in net.items()} == {n: p.shape for n, p in of_32.items()}


def test_a_parameter_cannot_have_an_open_length():
    with pytest.raises(DefinitionError, match=r"Dense needs .*: a size that it takes is null @ "):
        load_definition(OPEN.format("Flatten()").encode(), "m.yaml")
