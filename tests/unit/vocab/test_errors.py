"""The exception tree: whose fault an error is, stands in its class."""

import re

import pytest

from nyala.vocab import errors

TREE = re.findall(r"^    (.*?)(?:\|--|`--)? ?(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
PARENTS = {
    "ForeignError": "NyalaError",
    "CallerError": "NyalaError",
    "SurroundingsError": "NyalaError",
    "FrameError": "ForeignError",
    "TelegramError": "ForeignError",
    "GatewayError": "ForeignError",
    "FileError": "ForeignError",
    "BadArgumentError": "CallerError",
    "UnknownError": "CallerError",
    "NotAllowedError": "CallerError",
    "ConflictError": "CallerError",
}


def test_the_drawn_tree_names_every_class():
    classes = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert {name for _, name in TREE} == classes == {"NyalaError", *PARENTS}


@pytest.mark.parametrize(("name", "parent"), list(PARENTS.items()))
def test_every_class_stands_where_the_tree_draws_it(name, parent):
    assert getattr(errors, name).__bases__[0] is getattr(errors, parent)


def test_bytes_from_outside_and_bad_arguments_are_value_errors_and_unknown_names_lookup_errors():
    assert issubclass(errors.ForeignError, ValueError)
    assert issubclass(errors.BadArgumentError, ValueError)
    assert issubclass(errors.UnknownError, LookupError)


@pytest.mark.parametrize(
    ("path", "line", "said"),
    [("a.csv", 3, "a.csv:3: no column wh"), ("a.csv", None, "a.csv: no column wh"), (None, None, "no column wh")],
)
def test_a_file_error_begins_with_where(path, line, said):
    error = errors.FileError("no column wh", path=path, line=line)
    assert str(error) == said
    assert (error.what, error.path, error.line) == ("no column wh", path, line)
