"""A relay in front of PostgreSQL that goes away and comes back, or falls silent, as a server does in an outage."""

import contextlib
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Relay:
    """Relays connections from a port of its own to the server.

    Attributes:
        dsn: leads to the server through this relay.
    """

    def __init__(self, dsn: str) -> None:
        server = conninfo_to_dict(dsn)
        self._server = (str(server.get("host") or "127.0.0.1"), int(str(server.get("port") or 5432)))
        self._speaks = threading.Event()
        self._speaks.set()
        self._open = set[socket.socket]()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.dsn = make_conninfo(dsn, host="127.0.0.1", port=self._port, gssencmode="disable", sslmode="disable")
        self._listen()

    def cut(self) -> None:
        """End every connection, and refuse new ones."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        with self._lock:
            ended, self._open = self._open, set()
        for each in ended:
            _close(each)

    def restore(self) -> None:
        """Take connections again, at the same port."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._listen()

    def fall_silent(self) -> None:
        """Swallow everything: what was sent to the server and what it answers."""
        self._speaks.clear()

    def speak(self) -> None:
        """Hand on what was swallowed, and go on."""
        self._speaks.set()

    def _listen(self) -> None:
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = self._connected()
            with self._lock:
                self._open |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._hand_on, args=(source, target), daemon=True).start()

    def _connected(self) -> socket.socket:
        host, port = self._server
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _hand_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while received := source.recv(65536):
                self._speaks.wait()
                target.sendall(received)
        _close(source)
        _close(target)


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def relay(dsn: str) -> Generator[Relay]:
    """See `Relay`."""
    opened = Relay(dsn)
    try:
        yield opened
    finally:
        opened.speak()
        opened.cut()
