"""Entry point: the verbs, and errors as one sentence with an exit code (0 done, 1 does not fit or failed, 2 bad input)."""

import sys

import typer

from nmsim.cli import (
    check_config,
    describe,
    explore,
    formats,
    mapping,
    recorded,
    reference,
    rtl,
    stages,
    validate,
    vectors,
)
from nmsim.errors import NmsimError

INTERRUPTED = 130

app = typer.Typer(
    name="nmsim",
    help="Neuromorphic hardware co-design: train with STOP bit for bit, replay on multi-core chips, report energy.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
)
stages.register(app)
describe.register(app)
check_config.register(app)
validate.register(app)
reference.register(app)
explore.register(app)
formats.register(app)
vectors.register(app)
rtl.register(app)
mapping.register(app)
recorded.register(app)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except NmsimError as error:
        for line in str(error).splitlines():
            print(f"nmsim: {line}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("nmsim: interrupted; what was finished is kept, go on with --resume", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)


if __name__ == "__main__":
    main()
