"""A command line whose options are keywords of functions, and whose errors are one sentence."""

import argparse
import sys
from contextlib import contextmanager
from inspect import signature


class CommandLine(argparse.ArgumentParser):
    """An argument parser that ends bad input with one sentence and exit status 2."""

    def __init__(self, **options):
        super().__init__(
            **options, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
        )

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message}\n")

    @contextmanager
    def one_sentence_errors(self):
        """End with one sentence where a setting, a file or the memory doesn't allow what is asked.

        What a console can't show is printed as an escape: that is no reason to stop.
        """
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        try:
            yield
        except (ValueError, OSError, FloatingPointError) as error:
            self.error(str(error))
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "memory" not in str(error):
                raise
            self.error("there is not enough memory; try a smaller setting.")

    def add_keywords(self, *functions, help):
        """Add an option for each keyword in `help`, with the default that the function gives it."""
        for name, text in help.items():
            keyword = next(
                signature(f).parameters[name] for f in functions if name in signature(f).parameters
            )
            option, default = "--" + name.replace("_", "-"), keyword.default
            if default is False:
                self.add_argument(option, action="store_true", help=text)
            else:
                kind = int if default is None else type(default)
                text += "" if default is None else f" (default: {default})"
                self.add_argument(option, type=kind, default=default, help=text)

    @staticmethod
    def parse_comparison(text, settings):
        """Return the setting's name and its values from SETTING=VALUE,...; (None, []) from None.

        The values become what the setting's own value in `settings` is: text like 0.1 a float.
        """
        if text is None:
            return None, []
        name, _, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if name not in settings or name == "seed" or not values:
            names = ", ".join(sorted(settings.keys() - {"seed"}))
            raise ValueError(
                f"compare must be SETTING=VALUE,... with one of {names}; got {text!r}."
            )
        kinds = {bool: {"True": True, "False": False}.__getitem__, type(None): int}
        kind = kinds.get(type(settings[name]), type(settings[name]))
        try:
            return name, [kind(value) for value in values.split(",")]
        except (KeyError, ValueError):
            raise ValueError(
                f"compare must give {name} values like {settings[name]}; got {values!r}."
            ) from None


def keywords_of(function, settings):
    """Return those of the settings that are keywords of the function."""
    return {name: settings[name] for name in signature(function).parameters if name in settings}
