"""Pages that are run: their blocks, the commands in them, and what these print."""

import doctest
import io
import os
import re
import shlex
import subprocess
import sys

import pytest

from paraminspect import __main__ as program

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PIPE = re.compile(r" \| (?=(?:[^']*'[^']*')*[^']*$)")


def blocks(page, languages):
    """`(line, language, text)` of the fenced blocks in these languages, in the page's order."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        if found[1] in languages:
            yield text.count("\n", 0, found.start()) + 2, found[1], found[2]


def steps(block):
    """`(command, expected output)` of a console block; a trailing backslash continues a command."""
    command, expected = "", []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, expected
            command, expected = line[2:], []
        elif command.endswith("\\") and not expected:
            command = f"{command}\n{line}"
        else:
            expected.append(line)
    yield command, expected


def as_pattern(expected):
    """The output literally; a line `...` stands for any number of lines."""
    lines = [r"(?:.*\n)*?" if e == "..." else re.escape(e.rstrip()) + r" *\n" for e in expected]
    return re.compile("".join(lines))


def check_command(place, command, expected):
    """Run a line of a shell, and compare what it prints."""
    printed = run_line(command)
    assert as_pattern(expected).fullmatch(printed), f"{place}: $ {command}\n{printed}"


def run_line(line):
    """What a line prints: pieces joined by pipes, ours run in this process, others in a shell."""
    line, *asked = line.split("; echo $?")
    *before, last = PIPE.split(line)
    printed, passed = "", b""
    for piece in before:
        passed, said, _ = run_piece(piece, passed)
        printed += said
    out, said, status = run_piece(last, passed, together=True)
    return printed + out.decode() + said + (f"{status}\n" if asked else "")


def run_piece(command, stdin, together=False):
    """`(output, errors, status)`; `together` puts the errors among the output, as a terminal."""
    words = shlex.split(command.replace("\\\n", " "))
    if words[0] != "paraminspect" or ";" in command:
        errors = subprocess.STDOUT if together else subprocess.PIPE
        done = subprocess.run(
            ["bash", "-c", command],
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
            check=False,
        )
        return done.stdout, (done.stderr or b"").decode(), done.returncode
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    errors = output if together else io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", words)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        patch.setattr(sys, "stdout", output)
        patch.setattr(sys, "stderr", errors)
        with pytest.raises(SystemExit) as exit_:
            program.run()
    said = "" if together else errors.getvalue()
    return output.buffer.getvalue(), said, exit_.value.code


def check_python(page, line, block, names):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    test = doctest.DocTestParser().get_doctest(block, names, page.name, str(page), line - 1)
    report = []
    runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert not report, "".join(report)
