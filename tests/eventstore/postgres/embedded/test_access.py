"""Who may connect: the caller as role `postgres`, by what the kernel says; other roles by password; nobody by trust."""

import socket
import subprocess
from pathlib import Path

import psycopg
import pytest

from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError
from tests.eventstore.postgres.embedded.servers import QUICK, needs_root


def test_no_rule_trusts_anybody(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server, psycopg.connect(server.dsn) as connection:
        rules = connection.execute("SELECT type, user_name, auth_method, error FROM pg_hba_file_rules").fetchall()
    assert {method for _, _, method, _ in rules} == {"peer", "scram-sha-256"}
    assert all(names == ["postgres"] for _, names, method, _ in rules if method == "peer")
    assert all(error is None for _, _, _, error in rules)


def test_a_listening_server_wants_a_password_over_tcp(data: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with EmbeddedServer.start(data, options=QUICK, listen_port=port) as server:
        with psycopg.connect(server.dsn) as connection:
            connection.execute("DROP ROLE IF EXISTS reader")
            connection.execute("CREATE ROLE reader LOGIN PASSWORD 'secret'")
        tcp = f"host=127.0.0.1 port={port} dbname=postgres connect_timeout=10"
        psycopg.connect(f"{tcp} user=reader password=secret").close()
        for stranger in ("user=reader password=guess", "user=postgres password=guess", "user=postgres"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(f"{tcp} {stranger}")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(EmbeddedServerError, match="Address already in use"):
        EmbeddedServer.start(data, options=QUICK, listen_port=port)


def test_an_os_user_whom_nobody_knows_cannot_be_let_in(data: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="there is no OS user 'nobody-of-this-name'"):
        EmbeddedServer.start(data, options=QUICK, extra_peer_users=["nobody-of-this-name"])


@needs_root
def test_only_the_named_os_users_become_role_postgres(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK, extra_peer_users=["daemon"]) as server:
        query = [str(server.bin / "psql"), "-X", "-At", "-c", "SELECT system_user", server.dsn]
        results = {
            name: subprocess.run(
                query, user=name, extra_groups=[], cwd="/", capture_output=True, text=True, check=False
            )
            for name in ("daemon", "bin")
        }
    assert results["daemon"].stdout == "peer:daemon\n"
    assert results["bin"].returncode != 0
    assert 'Peer authentication failed for user "postgres"' in results["bin"].stderr
