"""Every error code that PostgreSQL has, raised by a real server, becomes the right error of ours."""

import psycopg
import pytest

from eventstore import InvalidEvent, SchemaMissing, StoreUnavailable
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.sqlstates import MEANING, translated

# Appendix A of PostgreSQL's documentation, class by class. Above, the classes and codes that mean more than "no";
# below, those of a statement that was refused and whose transaction was rolled back.
IN_DOUBT = {
    "08": "connection exception",
    "40003": "statement completion unknown",
    "57P01": "admin shutdown",
    "57P02": "crash shutdown",
    "57P03": "cannot connect now",
    "57P04": "database dropped",
    "57P05": "idle session timeout",
}
BAD_DATA = {"22": "data exception", "23": "integrity constraint violation", "54": "program limit exceeded"}
NO_SCHEMA = {"3F": "invalid schema name", "42P01": "undefined table", "42883": "undefined function"}
REFUSED = {
    "02": "no data", "03": "SQL statement not yet complete", "09": "triggered action exception",
    "0A": "feature not supported", "0B": "invalid transaction initiation", "0F": "locator exception",
    "0L": "invalid grantor", "0P": "invalid role specification", "0Z": "diagnostics exception",
    "10": "XQuery error", "20": "case not found", "21": "cardinality violation", "24": "invalid cursor state",
    "25": "invalid transaction state, read-only, idle in transaction", "26": "invalid SQL statement name",
    "27": "triggered data change violation", "28": "invalid authorization", "2B": "dependent privileges exist",
    "2D": "invalid transaction termination", "2F": "SQL routine exception", "34": "invalid cursor name",
    "38": "external routine exception", "39": "external routine invocation exception", "3B": "savepoint exception",
    "3D": "invalid catalog name", "40": "transaction rollback: serialization failure, deadlock",
    "42": "syntax error or access rule violation", "44": "WITH CHECK OPTION violation",
    "53": "insufficient resources: disk, memory, connections", "55": "object not in prerequisite state, lock timeout",
    "57": "operator intervention: query cancelled", "58": "system error", "72": "snapshot too old",
    "F0": "configuration file error", "HV": "foreign data wrapper error", "P0": "PL/pgSQL error",
    "XX": "internal error",
}  # fmt: skip


def every_sqlstate() -> list[str]:
    named = (getattr(psycopg.errors, name) for name in dir(psycopg.errors))
    states = {getattr(one, "sqlstate", None) for one in named if isinstance(one, type)}
    return sorted(state for state in states if isinstance(state, str))


def raise_on_server(pool: Pool, sqlstate: str, *, may_have_written: bool) -> None:
    with borrowed(pool) as connection, translated(may_have_written=may_have_written):
        connection.execute(f"DO $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{sqlstate}'; END $$".encode())


def error_of(pool: Pool, sqlstate: str, *, may_have_written: bool = True) -> Exception:
    with pytest.raises((InvalidEvent, SchemaMissing, StoreUnavailable)) as caught:
        raise_on_server(pool, sqlstate, may_have_written=may_have_written)
    assert "on purpose" in str(caught.value)
    return caught.value


def stands_in(sqlstate: str, table: dict[str, str]) -> bool:
    return sqlstate in table or sqlstate[:2] in table


@pytest.mark.parametrize("sqlstate", every_sqlstate())
def test_every_error_code_becomes_the_right_error(pool: Pool, sqlstate: str) -> None:
    error = error_of(pool, sqlstate)
    if stands_in(sqlstate, IN_DOUBT):
        assert isinstance(error, StoreUnavailable)
        assert error.outcome_unknown
        read = error_of(pool, sqlstate, may_have_written=False)
        assert isinstance(read, StoreUnavailable)
        assert not read.outcome_unknown
    elif stands_in(sqlstate, BAD_DATA):
        assert isinstance(error, InvalidEvent)
    elif stands_in(sqlstate, NO_SCHEMA):
        assert isinstance(error, SchemaMissing)
    else:
        assert stands_in(sqlstate, REFUSED), f"class {sqlstate[:2]} was never considered"
        assert isinstance(error, StoreUnavailable)
        assert not error.outcome_unknown
        assert sqlstate in str(error)


def test_each_row_of_the_table_decides_about_some_code() -> None:
    def row_for(sqlstate: str) -> str:
        return next((sqlstate[:length] for length in (5, 3, 2) if sqlstate[:length] in MEANING), "")

    assert {row_for(sqlstate) for sqlstate in every_sqlstate()} - {""} == set(MEANING)


def test_what_ends_the_session_is_in_doubt_whatever_its_code(dsn: str) -> None:
    """The code of transaction_timeout stands in no row, and in theory it may arrive right after a commit."""
    with psycopg.connect(dsn) as connection:
        if connection.info.server_version < 170000:
            pytest.skip("transaction_timeout came with PostgreSQL 17")
        connection.execute("SET transaction_timeout = 50")
        with pytest.raises(StoreUnavailable, match="transaction timeout") as ended, translated(may_have_written=True):
            connection.execute("SELECT pg_sleep(600)")
        assert ended.value.outcome_unknown
        assert connection.closed
