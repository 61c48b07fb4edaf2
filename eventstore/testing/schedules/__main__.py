"""python -m eventstore.testing.schedules; see `command`."""

from eventstore.testing.schedules.command import main

main()
