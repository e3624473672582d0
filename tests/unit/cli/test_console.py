"""The screen of a command: what rooms below say of what they are at goes to standard error, unless it is to be quiet."""

import logging

import pytest

from nmsim.cli.console import Screen


def test_notes_go_to_standard_error_and_a_quiet_screen_drops_them(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet, expected in ((False, "nmsim: compiling a test, once\n"), (True, "")):
        Screen(quiet=quiet)
        logging.getLogger("nmsim").info("compiling %s, once", "a test")
        printed = capsys.readouterr()
        assert (printed.out, printed.err) == ("", expected)
