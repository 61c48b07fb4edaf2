"""gunicorn in this process: one master, a few workers, each with threads and a connection pool of its own."""

import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from library_app.config import Config
from library_app.operations.logs import GunicornLog, configure_logs


class PortTaken(Exception):
    """Nobody can listen at the address, mostly because somebody does already."""

    def __init__(self, host: str, port: int, reason: OSError) -> None:
        super().__init__(
            f"cannot listen on {host}:{port}: {reason.strerror or reason}. Choose another port (--port, LIBRARY_PORT)"
        )
        self.host = host
        self.port = port


def check_port(host: str, port: int) -> None:
    """Find out that a port is taken before anything else is started.

    Raises:
        PortTaken: see there.
    """
    try:
        for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
            return
    except OSError as reason:
        raise PortTaken(host, port, reason) from None


class WebServer(BaseApplication):  # type: ignore[misc]
    """Serves until SIGINT or SIGTERM; `run` then ends with SystemExit, in the workers as well as in the master.

    Args:
        open_app: opens everything that an app needs, in the worker, after the fork, and yields the app. What it
            lays on the stack that it is given is closed when the worker is told to end, while requests still run:
            answers without end, for instance, which the worker would wait for.
        config: address, workers, threads.
        announce: called once, when requests are served.
    """

    def __init__(
        self,
        open_app: Callable[[ExitStack], AbstractContextManager[Flask]],
        config: Config,
        announce: Callable[[], None],
    ) -> None:
        self._open_app = open_app
        self._config = config
        self._announce = announce
        self._opened = ExitStack()
        self._at_end = ExitStack()
        configure_logs(config.log, config.log_level)
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn."""
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        settings: dict[str, Any] = {
            "bind": f"{host}:{self._config.port}",
            "workers": self._config.workers,
            "threads": self._config.threads,
            "worker_class": "gthread",
            "timeout": 60,
            "graceful_timeout": 10,
            "limit_request_line": 8190,  # the filter playground keeps a whole form in its address
            "loglevel": self._config.log_level,
            "logger_class": GunicornLog,
            "proc_name": "library-app",
            "control_socket_disable": True,
            "when_ready": self._when_ready,
            "post_worker_init": self._worker_is_ready,
            "worker_exit": self._worker_exit,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:  # some are younger than the oldest gunicorn that we work with
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Called by gunicorn in each worker."""
        return self._opened.enter_context(self._open_app(self._at_end))

    def _when_ready(self, _arbiter: object) -> None:
        self._announce()

    def _worker_is_ready(self, _worker: object) -> None:
        handled_by_gunicorn: Any = signal.getsignal(signal.SIGTERM)

        def end(number: int, frame: FrameType | None) -> None:
            handled_by_gunicorn(number, frame)
            # In a thread: a signal may come while the main thread holds a lock that is needed.
            threading.Thread(target=self._at_end.close, name="worker-ends").start()

        signal.signal(signal.SIGTERM, end)
        signal.siginterrupt(signal.SIGTERM, False)

    def _worker_exit(self, _arbiter: object, _worker: object) -> None:
        # Ctrl-C reaches a worker twice, from the terminal and from the master; the second would interrupt this.
        for again in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            signal.signal(again, signal.SIG_IGN)
        self._opened.close()
