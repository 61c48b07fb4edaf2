"""A relay in front of PostgreSQL that can lose the server's answer, as a network does."""

import socket
import threading
from pathlib import Path
from types import TracebackType

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class LossyProxy:
    """Relays one connection at a time between a Unix socket of its own and the server's.

    After `lose_next_answer()` the next request still reaches the server and is carried out there, but the client's
    connection is closed in place of the answer: the client cannot know whether its transaction was committed.
    """

    def __init__(self, folder: Path, dsn: str) -> None:
        server = conninfo_to_dict(dsn)
        self._server = (str(server["host"]), str(server.get("port") or 5432))
        self._armed = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.dsn = make_conninfo(dsn, host=str(folder), port=5432, gssencmode="disable", sslmode="disable")

    def lose_next_answer(self) -> None:
        self._armed.set()

    def __enter__(self) -> "LossyProxy":
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._connect()
            for relay in (self._to_server, self._to_client):
                thread = threading.Thread(target=relay, args=(client, server), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _connect(self) -> socket.socket:
        host, port = self._server
        if host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{host}/.s.PGSQL.{port}")
            return server
        return socket.create_connection((host, int(port)))

    @staticmethod
    def _to_server(client: socket.socket, server: socket.socket) -> None:
        while received := _receive(client):
            server.sendall(received)
        _close(server)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        while received := _receive(server):
            if self._armed.is_set():
                self._armed.clear()
                _close(client)
                break
            client.sendall(received)
        _close(client)
        _close(server)


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def _close(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
    finally:
        connection.close()
