"""The examples in the docstrings are run; only those that need a server are marked `+SKIP`."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import eventstore
import eventstore.postgres

MODULES = [
    found.name
    for found in pkgutil.walk_packages(eventstore.__path__, "eventstore.")
    if not found.name.endswith("__main__")  # which runs a command when it is imported
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    names = {**vars(eventstore), "where_clause": eventstore.postgres.where_clause}
    outcome = doctest.testmod(import_module(name), extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert outcome.failed == 0


def test_there_are_examples() -> None:
    examples = [
        example
        for name in MODULES
        for found in doctest.DocTestFinder().find(import_module(name))
        for example in found.examples
        if not example.options.get(doctest.SKIP)
    ]
    assert len(examples) >= 3
