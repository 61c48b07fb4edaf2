"""The deterministic interleavings, in the order of the page that explains them (README.md in the folder above).

python -m eventstore.testing.schedules                     our store and every broken twin, as a table
python -m eventstore.testing.schedules --store cte-guard   one of them, with a time line for each failure
"""

from typing import Final

from eventstore.testing.schedules import batches, bystanders, order, winners
from eventstore.testing.stage import Schedule

SCHEDULES: Final = (
    Schedule("two-writers-in-turn", "Two writers, the second comes too late", winners.in_turn),
    Schedule("two-writers-at-commit", "Two writers, one has written and not committed", winners.at_commit),
    Schedule("two-writers-at-row", "Two writers, one has decided and not written", winners.at_row),
    Schedule("three-sessions", "A reader between two writers", order.three_sessions),
    Schedule("open-unconditional", "An unconditional append is open", bystanders.open_unconditional),
    Schedule("visibility-order", "A later number commits first", order.visibility),
    Schedule("reader-between", "A query between insert and commit", order.reader_between),
    Schedule("writer-dies", "A writer dies while it is held", batches.writer_dies),
    Schedule("disjoint-boundaries", "Two writers who have nothing in common", winners.disjoint),
    Schedule("batch-in-the-middle", "A batch is half written", batches.in_the_middle),
    Schedule("foreign-insert-open", "A hand-written INSERT is open", bystanders.foreign_insert_open),
    Schedule("foreign-copy-open", "A COPY is open", bystanders.foreign_copy_open),
    Schedule("foreign-taken-back", "A hand-written INSERT is rolled back", bystanders.foreign_insert_taken_back),
    Schedule("foreign-insert-second", "A hand-written INSERT comes second", bystanders.foreign_insert_second),
    Schedule("two-strangers", "Two hand-written INSERTs", bystanders.two_strangers),
    Schedule("far-behind", "A writer is a thousand events behind", winners.far_behind),
    Schedule("retry-in-flight", "The same append again while the first is open", batches.retry_in_flight),
    Schedule("two-heirs", "Two wait for one who dies", winners.two_heirs),
    Schedule("batch-second", "A batch meets an append that is open", winners.batch_second),
)
"""Every schedule of the kit."""

__all__ = ["SCHEDULES", "Schedule"]
