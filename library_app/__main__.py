"""`python -m library_app` is `library-app`."""

from library_app.cli import main

main(prog_name="library-app")
