"""Keeping a live model up to date: one runner among all processes, and candidates who take over when it is gone.

candidate ──► lock ──► runner: batch by batch, rows and position in one transaction
    ▲          │ held by another: try again from time to time
    │          ▼
    └── the connection is lost, and the lock with it: connect again, after a pause that grows

The connection that holds the lock also carries the transactions. So whoever has lost the lock cannot write; and if it
could, the position that it goes on from would no longer be the one in the table.
"""

import logging
import threading
from typing import Any, Final, Self

from eventstore import EventStore, StoreUnavailable
from eventstore.postgres.listening import Outage, pause
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import may_pass
from slices.live.connection import held, own_connection
from slices.live.generations import Generation, Generations, Overtaken
from slices.live.model import LiveModel
from slices.live.reading import Reading
from slices.live.rebuilding import Interrupted, build

DEFAULT_TRY_AGAIN: Final = 2.0
_STOPPED: Final = 30.0
"""Seconds after which a model that has stopped looks whether somebody has mended what stopped it."""
_LONGEST_END: Final = 10.0

_LOG: Final = logging.getLogger(__name__)


class LiveRunner:
    """A candidate of this process, in a thread of its own until the end of the `with` block.

    >>> with LiveRunner(model, store, dsn):
    ...     serve()

    Make it after a fork. It never fails the process: what goes wrong is logged once, tried again after a pause, and if
    waiting does not mend it, such as an event that cannot be read, noted as the reason why the model has stopped.

    Args:
        model: what to keep up to date. Rows of an older version are built anew; rows of a newer one are left alone.
        store: where the events are.
        dsn: libpq connection string of the server itself, not of a pooler.
        table: the events table.
        try_again: seconds after which a candidate tries to get the lock again.
    """

    def __init__(
        self,
        model: LiveModel[Any],
        store: EventStore,
        dsn: str,
        table: str = "events",
        *,
        try_again: float = DEFAULT_TRY_AGAIN,
    ) -> None:
        self._model = model
        self._dsn = dsn
        self._table = TableName.parse(table)
        self._try_again = try_again
        self._reading = Reading(store)
        self._outage = Outage(f"{model.name} cannot be kept up to date", _LOG)
        self._failures = 0
        self._told = ""
        self._thread = threading.Thread(target=self._stand, name=f"live {model.name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_alive(self) -> bool:
        """Whether the candidate stands, as it does from the beginning of the block to its end."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End: after the transaction under way, or at once if there is none."""
        self._reading.close()
        self._thread.join(_LONGEST_END)

    def _stand(self) -> None:
        while not self._reading.is_closed:
            try:
                with own_connection(self._dsn, self._table, self._model.name) as connection:
                    self._candidate(Generations(connection, self._table, self._model))
            except Exception as reason:  # noqa: BLE001 - whatever it is, the process goes on
                self._failures += 1
                self._outage.goes_on(reason)
                self._reading.pause(pause(self._failures))

    def _candidate(self, generations: Generations) -> None:
        """Be the runner whenever nobody else is, until closed."""
        while not self._reading.is_closed:
            with held(generations.connection, self._table, self._model.name, "run") as is_ours:
                if is_ours:
                    self._run(generations)
                else:
                    self._failures = 0
                    self._outage.is_over()
            self._reading.pause(self._try_again)

    def _run(self, generations: Generations) -> None:
        """Follow the log until closed, or until a newer release should."""
        while not self._reading.is_closed:
            try:
                serving = generations.serving()
                if serving.version > self._model.version:
                    self._tell(f"left to a newer release: its rows are of version {serving.version}")
                    return
                if serving.version < self._model.version:
                    self._rebuild(generations, serving)
                else:
                    self._follow(generations, serving)
            except (Overtaken, Interrupted):
                continue
            except Exception as reason:
                if isinstance(reason, StoreUnavailable) and may_pass(reason):
                    raise
                generations.note_stop(str(reason))
                self._tell(f"stopped: {reason}")
                self._reading.pause(_STOPPED)

    def _follow(self, generations: Generations, serving: Generation) -> None:
        with self._reading.after(self._model.boundary, serving.position) as subscription:
            self._outage.is_over()
            for batch in subscription:
                serving = generations.advance(serving, batch)
                self._failures, self._told = 0, ""

    def _rebuild(self, generations: Generations, serving: Generation) -> None:
        """Bring rows of an older release up to date. They go on answering, as they are, until the swap."""
        with held(generations.connection, self._table, self._model.name, "rebuild") as is_ours:
            if is_ours and generations.serving() == serving:
                self._tell(
                    f"rebuilt: its rows are of version {serving.version}, this release has {self._model.version}"
                )
                build(generations, self._reading)
                return
        self._reading.pause(self._try_again)

    def _tell(self, what: str) -> None:
        """Log it, unless it was the last thing that was logged."""
        if what != self._told:
            _LOG.warning("the live model %s is %s", self._model.name, what)
        self._told = what
