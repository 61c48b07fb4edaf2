"""The command line as a test calls it: with an environment of its own, in this process."""

from click.testing import CliRunner, Result

from library_app.cli import main

EMAIL_KEY = {"LIBRARY_EMAIL_KEY": "fedcba9876543210"}
SECRETS = {"LIBRARY_SECRET_KEY": "0123456789abcdef", **EMAIL_KEY}


def run(*arguments: str, **environment: str) -> Result:
    variables = ("LIBRARY_DSN", "LIBRARY_SECRET_KEY", "LIBRARY_EMAIL_KEY", "LIBRARY_PORT", "LIBRARY_HOST")
    cleared = dict.fromkeys(variables)
    return CliRunner().invoke(main, arguments, env={**cleared, **environment})


def assert_says(result: Result, *words: str) -> None:
    assert result.exit_code == 1
    lines = result.output.strip().splitlines()
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]


def assert_says_last(result: Result, words: str) -> None:
    """After a progress bar, there is one line that says what is wrong."""
    assert result.exit_code == 1
    assert words in result.output.strip().splitlines()[-1]
    assert "Traceback" not in result.output
