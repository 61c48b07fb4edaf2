"""gunicorn in this process: one master, a few workers, each with threads and a connection pool of its own."""

import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from library_app.config import Config
from library_app.operations.ending import Ending
from library_app.operations.logs import configure_logs
from library_app.operations.metrics_folder import forget_gauges_of, shared_folder


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
        open_app: opens everything that an app needs, in the worker, after the fork, and yields the app. It is given
            what tells that the end is near.
        config: address, workers, threads, seconds until the end, and how to log.
        announce: called once, when requests are served.
    """

    def __init__(
        self,
        open_app: Callable[[Ending], AbstractContextManager[Flask]],
        config: Config,
        announce: Callable[[], None],
    ) -> None:
        self._open_app = open_app
        self._config = config
        self._announce = announce
        self._opened = ExitStack()
        self._ending = Ending()
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
            "graceful_timeout": self._config.graceful_seconds,
            "forwarded_allow_ips": "",  # LIBRARY_TRUSTED_PROXIES says who is believed
            "limit_request_line": 8190,  # the filter playground keeps a whole form in its address
            "loglevel": self._config.log_level,
            "logger_class": GunicornLog,
            "proc_name": "library-app",
            "control_socket_disable": True,
            "when_ready": self._when_ready,
            "post_worker_init": self._worker_is_ready,
            "worker_exit": self._worker_exit,
            "child_exit": self._child_exit,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:  # some are younger than the oldest gunicorn that we work with
                self.cfg.set(name, value)

    def run(self) -> None:
        """Serve. See the class."""
        with shared_folder() if self._config.metrics else nullcontext():
            super().run()

    def load(self) -> Any:
        """Called by gunicorn in each worker."""
        return self._opened.enter_context(self._open_app(self._ending))

    def _when_ready(self, _arbiter: object) -> None:
        _when_told_to_end(self._drain)
        self._announce()

    def _drain(self, end: Callable[[], None]) -> None:
        """Go on for a while before the sockets are closed; a second signal ends that."""
        seconds = 0 if self._ending.is_near else self._config.drain_seconds
        self._ending.announce()
        if seconds:
            timer = threading.Timer(seconds, end)
            timer.daemon = True
            timer.start()
        else:
            end()

    def _worker_is_ready(self, _worker: object) -> None:
        _when_told_to_end(self._end_worker)

    def _end_worker(self, end: Callable[[], None]) -> None:
        end()
        # In a thread: a signal may come while the main thread holds a lock that is needed.
        threading.Thread(target=self._ending.begin, name="worker-ends").start()

    def _worker_exit(self, _arbiter: object, _worker: object) -> None:
        # Ctrl-C reaches a worker twice, from the terminal and from the master; the second would interrupt this.
        for again in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            signal.signal(again, signal.SIG_IGN)
        self._opened.close()

    def _child_exit(self, _arbiter: object, worker: Any) -> None:
        forget_gauges_of(worker.pid)


def _when_told_to_end(do: Callable[[Callable[[], None]], None]) -> None:
    """Let `do` decide about SIGTERM in this process; it is given what gunicorn does then."""
    handled_by_gunicorn: Any = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        do(partial(handled_by_gunicorn, number, frame))

    signal.signal(signal.SIGTERM, end)
    signal.siginterrupt(signal.SIGTERM, False)


class GunicornLog(Logger):  # type: ignore[misc]
    """Lets the web server's own lines go the way of all others."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn, which has handlers of its own in mind."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
