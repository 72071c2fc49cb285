"""The base of commands that people run and may stop with Ctrl-C, or by SIGTERM."""

import os
import sys

from django.core.management.base import BaseCommand

from marketplace.stopping import interrupt_on_signals

INTERRUPTED = 130  # what shells report for a process that Ctrl-C ended


class InterruptibleCommand(BaseCommand):
    """A command that Ctrl-C or SIGTERM ends without a traceback, with `farewell` as its last words.

    So it ends when nobody reads on what it writes (`list | head`), with exit code 1.
    """

    farewell = "Stopped. Run this again to go on."

    def run_from_argv(self, argv: list[str]) -> None:
        """Run for a command line."""
        interrupt_on_signals()
        try:
            try:
                super().run_from_argv(argv)
            finally:
                sys.stdout.flush()  # at the latest here it shows that nobody reads
        except KeyboardInterrupt:
            self.stderr.write(self.farewell)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still buffered
            sys.exit(1)
