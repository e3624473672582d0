"""Entry point: a command, or its error as one sentence, with an exit code (0 done, 1 does not fit or failed, 2 bad input).

Nothing but the standard library is imported before `main` runs, so that Ctrl-C is answered from the first moment on.
"""

import gc
import sys

INTERRUPTED = 130
BAD_INPUT = 2
COLLECT_AFTER = 70_000
"""Objects after which garbage in cycles is looked for, a hundred times what is usual: hardly any is left behind, and each
look goes through all modules and records that have been loaded."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
    try:
        code = _run()
    except KeyboardInterrupt:
        print("nmsim: interrupted", file=sys.stderr)
        code = INTERRUPTED
    except MemoryError:  # too little even to import what reports it
        print("nmsim: the memory of this process does not suffice to start; see ulimit -v", file=sys.stderr)
        code = BAD_INPUT
    sys.exit(code)


def _run() -> int:
    from nmsim.cli.output import make_patient

    files = make_patient()
    code = _command()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    lost = [file for file in files if file.lost]
    if lost and not code:
        print(f"nmsim: output was lost: {lost[0].failure}; the command itself is done", file=sys.stderr)
        return 2
    return code


def _command() -> int:
    from nmsim.cli.output import PrintedAnswer

    as_json, PrintedAnswer.given = "--json" in sys.argv, False
    try:
        from nmsim.cli.verbs import app

        code = app(sys.argv[1:] or ["--help"], prog_name="nmsim", standalone_mode=False)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    except BaseException as error:  # noqa: BLE001 - whatever it is, a user gets a sentence
        if hasattr(error, "show") and hasattr(error, "exit_code"):
            return _usage(error, as_json=as_json)
        from nmsim.cli.failure import report

        return report(error, as_json=as_json)
    if code == INTERRUPTED:
        from nmsim.cli.failure import report

        return report(KeyboardInterrupt(), as_json=as_json)
    return code if isinstance(code, int) else 0


def _usage(error: object, *, as_json: bool) -> int:
    """A wrong option or argument: the command line's own words, and one of ours for programs."""
    from nmsim.cli.failure import report
    from nmsim.errors import ConfigError

    message = getattr(error, "format_message", lambda: "")() or str(error)
    return report(ConfigError(f"{message[:1].lower()}{message[1:].rstrip('.')}; see --help"), as_json=as_json)


if __name__ == "__main__":
    main()
