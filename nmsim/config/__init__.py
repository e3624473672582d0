"""YAML to validated, frozen records; every message names file, line, key path, value, rule and remedy."""

from nmsim.config.build import build, read
from nmsim.config.document import (
    Document,
    KeyPath,
    key_text,
    load,
    parse_file,
    parse_text,
    read_text,
    to_yaml,
)
from nmsim.config.physical import within
from nmsim.config.record import Record, json_schema
from nmsim.config.shipped import find, is_path, shipped, shipped_folder
from nmsim.config.template import template

__all__ = [
    "Document", "KeyPath", "Record", "build", "find", "is_path", "json_schema", "key_text", "load", "parse_file",
    "parse_text", "read", "read_text", "shipped", "shipped_folder", "template", "to_yaml", "within",
]  # fmt: skip
