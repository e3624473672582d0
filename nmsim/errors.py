"""One exception tree: every message is one sentence with place, value, rule and remedy."""


class NmsimError(Exception):
    """Base of every error nmsim raises on purpose; `exit_code` is what the command line returns.

    Its text is one sentence: where, what was found, what is allowed, what to do. Catch it around calls with input from
    people; anything else that is raised is a defect of nmsim.

    >>> from nmsim import read_chip
    >>> try:
    ...     read_chip("edge-28nm", ["clock_hz=200"])
    ... except NmsimError as error:
    ...     print(type(error).__name__, error.exit_code)
    ConfigError 2
    """

    exit_code = 2


class ConfigError(NmsimError):
    """A configuration file or option is wrong: unknown or duplicate key, type, range, impossible combination."""


class RecordError(ConfigError, ValueError):
    """A network, chip or other record that was built in Python is wrong; the sentence is the one of a YAML file."""


class NotModelledError(ConfigError):
    """A chip's description leaves out what a rule asks of it, such as the time of a learning event."""


class DataError(NmsimError):
    """A data file is missing, truncated, corrupt, or does not match the workload."""


class FormatError(NmsimError):
    """A fixed-point format is malformed, or cannot hold what the run must put into it."""


class RunError(NmsimError):
    """A run folder is missing, incomplete, or was written by something else."""


class CostError(NmsimError):
    """A price is missing, has no source, or is used outside its published range."""


class DoesNotFitError(NmsimError):
    """A network does not fit its chip; the message is the text of the fit report, `report` its record."""

    exit_code = 1

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report


class TooFastError(NmsimError):
    """A chip cannot run at its clock and supply; the message is the text of the clock report, `report` its record."""

    exit_code = 1

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report


class CheckFailedError(NmsimError):
    """A validation or audit ran to its end and failed."""

    exit_code = 1
