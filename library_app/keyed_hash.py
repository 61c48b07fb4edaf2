"""The hash under which an address is on record: without the key nobody can tell which address it stands for."""

import hashlib
import hmac


def keyed_hash(key: str, text: str) -> str:
    """HMAC-SHA-256 in hex.

    A plain hash would not hide an address: whoever guesses addresses could compare their hashes.

    Args:
        key: LIBRARY_EMAIL_KEY.
        text: in its one spelling, as `slices.fields.Email` has it.
    """
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
