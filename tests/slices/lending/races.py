"""Commands of the library that meet: over a copy, over the queue for one, or over a reader.

What they ask for and what happened before has its names in `commands.py` and `histories.py`.
"""

from tests.slices.lending.races_for_copies import ADDING, LENDING, REMOVING, RETURNING
from tests.slices.lending.races_for_readers import CLAIMING, LEAVING, REGISTERING
from tests.slices.lending.races_for_reservations import RESERVING, WAITING

RACES = {
    **ADDING,
    **REGISTERING,
    **LENDING,
    **RETURNING,
    **RESERVING,
    **WAITING,
    **REMOVING,
    **LEAVING,
    **CLAIMING,
}
