"""A command line whose options are keywords of functions, and whose errors are one sentence."""

import argparse
import gc
import io
import os
import sys
from argparse import SUPPRESS
from contextlib import contextmanager, redirect_stdout
from inspect import signature
from typing import get_args

from support.interrupts import Interrupted, Interrupts
from support.memory import lacks_memory
from support.text import on_one_line, shortened, shown

LONGEST = 450  # characters of an error


def as_sentence(error: Exception) -> str | None:
    """Return what to tell of an error that input, a file or the memory causes; None of a bug."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'} can't be used: {error.strerror}."
    if isinstance(error, ValueError | OSError | FloatingPointError):
        return str(error)
    if lacks_memory(error):
        return "there is not enough memory; try a smaller setting."
    return None


def as_option(name: str) -> str:
    """Return a setting's name as one types it."""
    return "--" + name.replace("_", "-")


class CommandLine(argparse.ArgumentParser):
    """An argument parser that ends bad input with one sentence and exit status 2."""

    def __init__(self, **options):
        self.defaults, self.kinds = {}, {}  # of the keywords that are options
        super().__init__(
            **options, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
        )

    def error(self, message):
        sentence = shortened(on_one_line(message), LONGEST).rstrip(".")  # it may echo all there is
        self.exit(2, f"{self.prog}: error: {sentence}.\n")

    def print_help(self, file=None):
        with self._printed_at_the_end():
            super().print_help(file)

    @contextmanager
    def one_sentence_errors(self):
        """End with one sentence where a setting, a file or the memory doesn't allow what is asked.

        Ctrl-C and its like end with a sentence, too. What a console can't show is printed as an
        escape: that is no reason to stop.
        """
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        try:
            with Interrupts(), self._printed_at_the_end():
                yield
        except Interrupted as stop:
            self.exit(128 + stop.signum, f"{self.prog}: {stop}\n")
        except Exception as error:
            sentence = as_sentence(error)
            if sentence is None:
                raise
            self.error(self.with_option(sentence))
        finally:  # looking for garbage at the end takes a second and gains nothing
            gc.freeze()

    def with_option(self, sentence: str) -> str:
        """Return a sentence that begins with a setting's name as one types it: --batch-size."""
        name, _, rest = sentence.partition(" ")
        names = [action.dest for action in self._actions if action.option_strings]
        return f"{as_option(name)} {rest}" if name in names else sentence

    @contextmanager
    def _printed_at_the_end(self):
        """Print what the block prints when it is over, so that no trouble with it stops the work.

        A reader that has left, as `head` does, ends the program with the status of SIGPIPE.
        """
        with redirect_stdout(io.StringIO()) as printed:
            yield
        try:
            print(printed.getvalue(), end="", flush=True)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the rest
            if isinstance(error, BrokenPipeError):
                self.exit(128 + 13)
            self.error(f"what is printed can't be written: {error.strerror}.")

    def parse_or_resume(self, argv, stored_command):
        """Return the arguments, the command line that they are from, and those given now.

        With --resume, `stored_command(out)` is the command line that began the run, or a
        ValueError.
        """
        given = self.parse_args(argv)
        if not given.resume:
            return given, argv, given
        with self.one_sentence_errors():
            command = stored_command(given.out)
        return self.parse_args([*command, "--out", str(given.out)]), command, given

    def check_same(self, args, settings):
        """Raise a ValueError that names the arguments given which aren't as in `settings`.

        An argument that has its default is taken not to be given. How often a checkpoint is written
        may differ.
        """
        given = {
            name: value
            for name, value in vars(args).items()
            if name not in ("out", "resume", "checkpoint_every") and value != self.get_default(name)
        }
        wrong = {name: value for name, value in given.items() if value != settings.get(name)}
        if wrong:
            names = " and ".join(map(as_option, wrong))
            began, got = (
                shortened(", ".join(str(values.get(name)) for name in wrong))
                for values in (settings, wrong)
            )
            raise ValueError(
                f"{names} must be what the run that is resumed began with, {began}; got {got}."
            )

    def add_keywords(self, group, *functions, help):
        """Add an option for each keyword in `help` to a group, of the type a function gives it.

        An option that isn't used doesn't show up among the arguments; `defaults` has the functions'
        defaults.
        """
        for name, text in help.items():
            keyword = next(
                signature(f).parameters[name] for f in functions if name in signature(f).parameters
            )
            option, default = as_option(name), keyword.default
            self.defaults[name], self.kinds[name] = default, _kind(keyword.annotation)
            if self.kinds[name] is _flag:
                group.add_argument(option, action="store_true", help=text, default=SUPPRESS)
            else:
                kind = self.kinds[name]
                text += "" if default is None else f" (default: {default})"
                group.add_argument(
                    option, type=kind, metavar=METAVARS[kind], help=text, default=SUPPRESS
                )

    def parse_comparison(self, text):
        """Return the setting's name and its values from SETTING=VALUE,...; (None, []) from None."""
        if text is None:
            return None, []
        name, _, values = text.partition("=")
        name = name.strip().replace("-", "_")
        comparable = self.kinds.keys() - {"seed", "features"}  # features have commas themselves
        if name not in comparable or not values:
            names = ", ".join(sorted(comparable))
            raise ValueError(
                f"compare must be SETTING=VALUE,... with one of {names}; got {shown(text)}."
            )
        try:
            return name, [self.kinds[name](value) for value in values.split(",")]
        except (KeyError, ValueError):
            kind = KINDS[self.kinds[name]]
            raise ValueError(f"compare must give {name} as {kind}; got {shown(values)}.") from None


def _kind(annotation):
    """Return the function from text to a value of the annotated type; None may be part of it."""
    types = [part for part in get_args(annotation) or [annotation] if part is not type(None)]
    kinds = {(bool,): _flag, (int, tuple[int, ...]): widths}
    return kinds.get(tuple(types), types[0])


def _flag(text):
    return {"True": True, "False": False}[text]


def widths(text):
    """Return 16 from 16, (8, 8, 4) from 8x8x4, and (8,) from 8x."""
    each = tuple(map(int, text.removesuffix("x").split("x")))
    return each if "x" in text else each[0]


METAVARS = {int: "N", float: "X", str: "NAME", widths: "N"}
KINDS = {
    int: "whole numbers",
    float: "numbers",
    str: "names",
    _flag: "True or False",
    widths: "widths, as 16 or 8x8x4",
}
