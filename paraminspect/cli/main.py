"""The group of commands, and the one place where errors become a line and a status."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import resource
import sys
from typing import Any

import click

from paraminspect.errors import ParamInspectError, escape, nearest

COMMANDS = {
    "list": ("paraminspect.cli.list", "list_parameters", "Names, shapes, dtypes, ties, totals."),
    "slice": ("paraminspect.cli.slice", "slice_source", "The values at an address."),
    "set": ("paraminspect.cli.set", "set_values", "Assign to values by expressions."),
    "tie": ("paraminspect.cli.tie", "tie_parameters", "Make two names one array."),
    "convert": ("paraminspect.cli.convert", "convert_source", "Change the format or the dtype."),
    "init": ("paraminspect.cli.init", "init_parameters", "Draw values by schemes."),
    "run": ("paraminspect.cli.run", "run_definition", "The output of a definition."),
    "grad": ("paraminspect.cli.grad", "show_gradients", "The gradient of each parameter."),
    "train": ("paraminspect.cli.train", "train_definition", "Gradient descent on data."),
    "diff": ("paraminspect.cli.diff", "diff_sources", "What differs between two sources."),
}
"""Command to (module, function, one line of help). A module is imported when its command runs."""

MAXIMUM_MESSAGE = 1_000

MAXIMUM_FILES = 4_096
"""Open at once, where the system lets us: more shards than any model has."""

EPILOG = """\b
Examples:
  paraminspect list model.safetensors
  paraminspect list --tree model.yaml
  paraminspect list --stats model.safetensors '*.bias'

\b
Exit status: 0 done, 2 trouble (one line on stderr says what and where),
70 a bug of ours (--debug shows the traceback), 130 interrupted.

\b
Completion: eval "$(_PARAMINSPECT_COMPLETE=bash_source paraminspect)"
(zsh_source, fish_source for the other shells).
"""


class ReaderLeftError(Exception):
    """Nobody reads the standard output any more (`| head`): what was wanted has been had."""


class LazyGroup(click.Group):
    """A group that imports a command only to run it or to show its own help."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a broken pipe is raised in a form that click does not make an error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderLeftError from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None if there is none."""
        if cmd_name not in COMMANDS:
            ctx.fail(f"no command {cmd_name!r}{nearest(cmd_name, COMMANDS)}")
        module, function, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands with their lines of help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGUMENT]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="paraminspect")
@click.pass_context
def main(context: click.Context, debug: bool) -> None:  # noqa: ARG001 (looked for in argv)
    """Look into the parameters of neural networks, with no framework installed.

    A SOURCE is a model definition (YAML), a checkpoint (a file, an index of shards, or a folder
    with one), or - for a definition on standard input.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run_command() -> int:
    """Run what the command line says; the status to exit with."""
    _open_closed_streams()
    _allow_many_files()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in sys.argv[1:2]
    try:
        result: Any = main.main(prog_name="paraminspect", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.UsageError as error:
        return _say(_usage_message(error), 2)
    except click.ClickException as error:
        return _say(error.format_message(), 2)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except (ReaderLeftError, BrokenPipeError):
        _drop_output()
        return 0
    except ParamInspectError as error:
        if debug:
            raise
        from paraminspect.cli.ways import spell_option  # only an error needs it

        return _say(error.worded(spell_option), 2)
    except OSError as error:
        if debug:
            raise
        if not error.filename:
            _drop_output()
        return _say(f"{error.filename or 'standard output'}: {error.strerror or error}", 2)
    except MemoryError:
        return _say("out of memory", 2)
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        return _say(f"internal error: {kind}: {error} (`paraminspect --debug ...` shows where)", 70)
    return result if isinstance(result, int) else 0


def _allow_many_files() -> None:
    """A model may have more shards than the soft limit of open files, 256 on macOS."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MAXIMUM_FILES if hard == resource.RLIM_INFINITY else min(hard, MAXIMUM_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _open_closed_streams() -> None:
    """Where the caller closed a standard stream, no file that is written may take its number.

    What is written to a closed output is then an error, as for other programs.
    """
    flags = {"stdin": os.O_RDONLY, "stdout": os.O_RDONLY, "stderr": os.O_WRONLY}
    for name, flag in flags.items():
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(os.open(os.devnull, flag), mode))


def _drop_output() -> None:
    """Let what is left to print go nowhere: Python would complain when it flushes at exit."""
    with contextlib.suppress(io.UnsupportedOperation):  # a stream of a test has no number
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage_message(error: click.UsageError) -> str:
    """Click's message in our form, and where to look."""
    message = _no_such_option(error) or error.format_message().rstrip(".")
    ours = type(error) is click.UsageError
    hint = "" if ours or not error.ctx else f"; `{error.ctx.command_path} --help` tells more"
    return message + hint


def _no_such_option(error: click.UsageError) -> str | None:
    """The message for an option that is called otherwise here."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return None
    from paraminspect.cli.synonyms import meant  # only an error needs it

    ours = meant(error.option_name, error.ctx.command)
    return ours and f"No such option {error.option_name!r}, did you mean {ours}?"


def _say(message: str, status: int) -> int:
    text = escape(message)
    if len(text) > MAXIMUM_MESSAGE:
        text = text[:MAXIMUM_MESSAGE] + "..."
    click.echo(f"paraminspect: {text}", err=True)
    return status
