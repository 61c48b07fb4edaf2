"""Event ids: UUIDs of version 7, so that ids made later sort later (RFC 9562, section 5.7)."""

import secrets
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62


def uuid7() -> UUID:
    """Make a new id from the current time in milliseconds and 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    return UUID(
        int=(milliseconds & (1 << 48) - 1) << 80 | _VERSION_7 | random >> 62 << 64 | _VARIANT | random & (1 << 62) - 1
    )
