"""What the embedded server reports."""


class EmbeddedServerError(Exception):
    """The private PostgreSQL could not be started; the message says why and what to do about it."""
