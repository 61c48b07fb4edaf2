"""An application's role can read, append and keep snapshots, and do nothing else, by whatever trick."""

import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any, LiteralString, TypeAlias

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Composed, Identifier, Literal
from psycopg_pool import ConnectionPool

from eventstore import Snapshot, SnapshotKey, StoreUnavailable
from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore
from eventstore.postgres.pool import Pool
from tests.eventstore import guarantee_checks as checks
from tests.eventstore.databases import new_namespace
from tests.eventstore.examples import EVERYTHING, event

Attacker: TypeAlias = psycopg.Connection[Any]
KEY = SnapshotKey("loans", 1, EVERYTHING.hash())
SNAPSHOT = Snapshot(1, uuid.uuid4(), b"state")


@pytest.fixture
def role(dsn: str) -> Generator[str]:
    """A role that may do nothing yet, with a name that needs quotes."""
    name = f'the "app" {uuid.uuid4().hex[:12]}'
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE ROLE {}").format(Identifier(name)))
        yield name
        connection.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))
        connection.execute(SQL("DROP ROLE {}").format(Identifier(name)))


@pytest.fixture
def as_role(dsn: str, role: str) -> Generator[Pool]:
    """A pool whose sessions are the role's."""

    def become(connection: psycopg.Connection[Any]) -> None:
        connection.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(role)))

    settings = {"autocommit": True}
    with ConnectionPool[psycopg.Connection[Any]](
        dsn, kwargs=settings, configure=become, min_size=1, max_size=8, open=True
    ) as pool:
        yield pool


def grant(dsn: str, store: PostgresEventStore, role: str, *, snapshots: bool = False) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for _ in range(2):
            connection.execute(store.grants_for(role, snapshots=snapshots).encode())


def test_the_rights_in_the_readme_are_those_that_are_tested_here(pool: Pool) -> None:
    rights = PostgresEventStore(pool).grants_for("library", snapshots=True)
    assert f"```sql\n{rights}```\n" in (Path(__file__).parents[2] / "eventstore/README.md").read_text(encoding="utf-8")


def test_a_role_with_these_rights_can_read_and_append(
    dsn: str, store: PostgresEventStore, table: str, role: str, as_role: Pool
) -> None:
    grant(dsn, store, role)
    application = PostgresEventStore(as_role, table)
    application.check_schema()
    checks.a_newer_matching_event_is_a_conflict(application)
    application.append(checks.event(), checks.event())


def test_a_role_can_keep_snapshots_if_it_was_allowed_to(
    dsn: str, store: PostgresEventStore, table: str, role: str, as_role: Pool
) -> None:
    snapshots = PostgresSnapshotStore(as_role, table)
    grant(dsn, store, role)
    for call in (lambda: snapshots.save(KEY, SNAPSHOT), lambda: snapshots.load(KEY), lambda: snapshots.delete(KEY)):
        with pytest.raises(StoreUnavailable, match="permission denied"):
            call()
    grant(dsn, store, role, snapshots=True)
    assert snapshots.save(KEY, SNAPSHOT)
    assert snapshots.load(KEY) == SNAPSHOT
    assert snapshots.save(KEY, Snapshot(2, uuid.uuid4(), b"newer"))
    snapshots.delete(KEY)
    assert snapshots.load(KEY) is None


def test_a_role_of_a_store_in_a_schema_of_its_own_needs_nothing_more(
    dsn: str, pool: Pool, table: str, role: str, as_role: Pool
) -> None:
    with new_namespace(pool, table):
        owned = PostgresEventStore(pool, f"{table}.select")
        owned.create_schema()
        grant(dsn, owned, role, snapshots=True)
        application = PostgresEventStore(as_role, f"{table}.select")
        application.check_schema()
        checks.a_newer_matching_event_is_a_conflict(application)
        assert PostgresSnapshotStore(as_role, f"{table}.select").save(KEY, SNAPSHOT)


def test_a_role_needs_no_right_to_be_woken(
    dsn: str, store: PostgresEventStore, table: str, role: str, as_role: Pool
) -> None:
    grant(dsn, store, role)
    with as_role.connection() as listener:
        listener.execute(SQL("LISTEN {}").format(Identifier(f"public.{table}")))
        PostgresEventStore(as_role, table).append(event())
        woken = next(listener.notifies(timeout=60))
        listener.execute("UNLISTEN *")
    assert (woken.channel, woken.payload) == (f"public.{table}", "")


FORBIDDEN: dict[str, LiteralString] = {
    "insert": "INSERT INTO {table} (event_id, event_type, occurred_at, payload, metadata)"
    " VALUES (gen_random_uuid(), 'X', now(), '{{}}', '{{}}')",
    "update": "UPDATE {table} SET event_type = 'X'",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table}",
    "copy": "COPY {table} FROM STDIN",
    "merge": "MERGE INTO {table} USING {table} n ON false WHEN MATCHED THEN DELETE",
    "hold rows": "SELECT FROM {table} FOR SHARE",
    "hold the table": "DO $$ BEGIN LOCK TABLE {table} IN ROW EXCLUSIVE MODE; END $$",
    "switch triggers off": "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "play the replica, for whom triggers are off": "SET session_replication_role = replica",
    "add a trigger": "CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION tsvector_update_trigger()",
    "add a rule": "CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "drop the table": "DROP TABLE {table}",
    "drop a trigger": "DROP TRIGGER {refuse_change} ON {table}",
    "rename the table": "ALTER TABLE {table} RENAME TO {mine}",
    "let only some rows be seen": "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    "inherit from the table": "CREATE TEMPORARY TABLE mine () INHERITS ({table})",
    "take the table": "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "read beyond the events": "SELECT rolpassword FROM pg_authid",
    "draw a number": "SELECT nextval({sequence})",
    "set the number": "SELECT setval({sequence}, 1)",
    "look at the number": "SELECT last_value FROM {sequence_table}",
    "change the sequence": "ALTER SEQUENCE {sequence_table} CACHE 10",
    "restart the sequence": "ALTER SEQUENCE {sequence_table} RESTART",
    "replace a function": "CREATE OR REPLACE FUNCTION {version}() RETURNS integer LANGUAGE sql AS 'SELECT 0'",
    "change a function": "ALTER FUNCTION {append_one} SECURITY INVOKER",
    "change its settings": "ALTER FUNCTION {append_one} SET search_path = public",
    "drop a function": "DROP FUNCTION {version}()",
    "add a function": "CREATE FUNCTION {mine}() RETURNS integer LANGUAGE sql AS 'SELECT 0'",
    "add a table": "CREATE TABLE {mine} (a integer)",
    "ask the guard itself": "SELECT {guard}('[]', 0, 0, NULL)",
    "call a trigger's function": "SELECT {before_insert}()",
    "help itself to rights": "GRANT EXECUTE ON FUNCTION {guard} TO CURRENT_USER",
    "act as the owner": "SET ROLE {owner}",
    "add a schema": "CREATE SCHEMA {mine}",
    "add a subscription to all tables": "CREATE SUBSCRIPTION mine CONNECTION '' PUBLICATION mine",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "truncate the snapshots": "TRUNCATE {snapshots}",
    "drop the snapshots": "DROP TABLE {snapshots}",
}


@pytest.fixture
def granted(dsn: str, store: PostgresEventStore, role: str, as_role: Pool) -> Pool:
    """A pool of a role that has all rights of an application, beside a store with an event in it."""
    grant(dsn, store, role, snapshots=True)
    store.append(checks.event())
    return as_role


@pytest.mark.parametrize("forbidden", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_the_same_role_can_do_nothing_else(
    store: PostgresEventStore, table: str, role: str, granted: Pool, forbidden: LiteralString
) -> None:
    with granted.connection() as connection:
        owners = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = %s", [table])
        [(owner,)] = owners.fetchall()
        assert connection.execute("SELECT session_user, current_user").fetchone() == (role, role)
        with pytest.raises(InsufficientPrivilege):
            connection.execute(forbidden_statement(forbidden, table, owner))
    assert len(store.query(checks.EVERYTHING)) == 1
    store.check_schema()


def forbidden_statement(text: LiteralString, table: str, owner: str) -> Composed:
    suffixes = ("append_one", "before_insert", "guard", "mine", "refuse_change", "snapshots")
    return SQL(text).format(
        table=Identifier(table),
        owner=Identifier(owner),
        sequence=Literal(f"{table}_sequence_number"),
        sequence_table=Identifier(f"{table}_sequence_number"),
        version=Identifier(f"{table}_schema_version"),
        **{suffix: Identifier(f"{table}_{suffix}") for suffix in suffixes},
    )


def test_a_role_without_rights_can_neither_read_nor_append(
    store: PostgresEventStore, table: str, as_role: Pool
) -> None:
    stranger = PostgresEventStore(as_role, table)
    with pytest.raises(StoreUnavailable, match="permission denied"):
        stranger.append(checks.event())
    with pytest.raises(StoreUnavailable, match="permission denied"):
        stranger.query(checks.EVERYTHING)
    assert len(store.query(checks.EVERYTHING)) == 0


# Look-alikes of all that the functions of the store use, in a schema of the attacker's that comes first in the path.
LOOK_ALIKES: LiteralString = """
CREATE FUNCTION {own}.hijacked() RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hijacked as %', current_user; END $$;
CREATE FUNCTION {own}.look_alike(jsonb, jsonb) RETURNS boolean LANGUAGE sql AS 'SELECT {own}.hijacked()';
CREATE FUNCTION {own}.look_alike(jsonb, text) RETURNS boolean LANGUAGE sql AS 'SELECT {own}.hijacked()';
CREATE FUNCTION {own}.look_alike(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT {own}.hijacked()';
CREATE FUNCTION {own}.look_alike(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT {own}.hijacked()';
CREATE FUNCTION {own}.look_alike(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT {own}.hijacked()';
CREATE OPERATOR {own}.@> (FUNCTION = {own}.look_alike, LEFTARG = jsonb, RIGHTARG = jsonb);
CREATE OPERATOR {own}.= (FUNCTION = {own}.look_alike, LEFTARG = jsonb, RIGHTARG = jsonb);
CREATE OPERATOR {own}.? (FUNCTION = {own}.look_alike, LEFTARG = jsonb, RIGHTARG = text);
CREATE OPERATOR {own}.= (FUNCTION = {own}.look_alike, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR {own}.<> (FUNCTION = {own}.look_alike, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR {own}.= (FUNCTION = {own}.look_alike, LEFTARG = uuid, RIGHTARG = uuid);
CREATE OPERATOR {own}.> (FUNCTION = {own}.look_alike, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR {own}.<= (FUNCTION = {own}.look_alike, LEFTARG = bigint, RIGHTARG = bigint);
CREATE FUNCTION {own}.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT {own}.hijacked()::text';
CREATE FUNCTION {own}.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now() WHERE {own}.hijacked()';
CREATE FUNCTION {own}.nextval(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint WHERE {own}.hijacked()';
CREATE FUNCTION {own}.jsonb_array_elements(jsonb) RETURNS SETOF jsonb LANGUAGE sql
    AS 'SELECT $1 WHERE {own}.hijacked()';
CREATE TEMPORARY TABLE {table} (LIKE public.{table});
CREATE DOMAIN pg_temp.timestamptz AS pg_catalog.timestamptz CHECK ({own}.hijacked());
SET search_path = {own}, pg_temp, pg_catalog, public;
"""
CALLS: dict[str, LiteralString] = {
    "append_one": """
        SELECT (public.{function}(pg_catalog.gen_random_uuid(), 'Forged', pg_catalog.now(), '{{}}', '{{}}',
                                  {condition}, 0, '1s')).status
    """,
    "append_group": """
        SELECT status FROM public.{function}(
            ARRAY[pg_catalog.gen_random_uuid(), pg_catalog.gen_random_uuid()], '{{Forged,Forged}}',
            ARRAY[pg_catalog.now(), pg_catalog.now()], '{{"{{}}","{{}}"}}', '{{"{{}}","{{}}"}}',
            ARRAY[{condition}, {condition}], '{{0,0}}', '1s')
    """,
    "append_batch": """
        SELECT (public.{function}(ARRAY[pg_catalog.gen_random_uuid()], '{{Forged}}', ARRAY[pg_catalog.now()],
                                  '{{"{{}}"}}', '{{"{{}}"}}', {condition}, 0, '1s')).status
    """,
}
CONDITION = '[{"types": ["Lent"], "any": [{"K": 1}], "all": [{"K": 1}]}]'


@pytest.fixture
def attacker(pool: Pool, store: PostgresEventStore, table: str, role: str, as_role: Pool) -> Generator[Attacker]:
    """A session of the application's role that has put its own functions and operators before everybody's."""
    own = Identifier(f"attacker_{table}")
    store.append(event("Lent", '{"K": 1}'))
    with pool.connection() as connection:
        connection.execute(store.grants_for(role).encode())
        connection.execute(SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(own, Identifier(role)))
    with as_role.connection() as session:
        session.execute(SQL(LOOK_ALIKES).format(own=own, table=Identifier(table)))
        with pytest.raises(psycopg.errors.RaiseException, match="hijacked"):
            session.execute("SELECT '{}'::jsonb @> '{}'::jsonb")
        yield session
    with pool.connection() as connection:
        connection.execute(SQL("DROP SCHEMA {} CASCADE").format(own))


def forge(attacker: Attacker, table: str, name: str, condition: str | None = CONDITION) -> str:
    """Call an append function; its answer."""
    call = SQL(CALLS[name]).format(function=Identifier(f"{table}_{name}"), condition=Literal(condition))
    [(status,), *_] = attacker.execute(call).fetchall()
    return str(status)


@pytest.mark.parametrize("name", CALLS)
def test_no_search_path_makes_the_append_run_what_the_role_wrote(
    attacker: Attacker, store: PostgresEventStore, table: str, name: str
) -> None:
    assert forge(attacker, table, name) == "conflict"
    assert forge(attacker, table, name, condition=None) == "appended"
    assert {found.event_type for found in store.query(EVERYTHING)} == {"Lent", "Forged"}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("change", ["RESET search_path", "SET search_path = pg_catalog"])
def test_the_attack_succeeds_on_a_function_whose_search_path_is_not_pinned_or_begins_with_temporary_objects(
    attacker: Attacker, pool: Pool, table: str, name: str, change: LiteralString
) -> None:
    """So the test above would notice. Where pg_temp is not named, it comes first."""
    with pool.connection() as connection:
        connection.execute(SQL("ALTER FUNCTION {} " + change).format(Identifier(f"{table}_{name}")))
        owner = connection.info.user
    with pytest.raises(psycopg.errors.RaiseException, match=f"hijacked as {owner}"):
        forge(attacker, table, name)


def test_every_function_of_the_store_that_acts_for_its_owner_has_a_search_path_of_its_own(
    pool: Pool, store: PostgresEventStore, table: str
) -> None:
    with pool.connection() as connection:
        functions = connection.execute(
            "SELECT proname, prosecdef, proconfig FROM pg_proc WHERE proname LIKE %s", [f"{table}%"]
        ).fetchall()
    acting_for_the_owner = {name: settings for name, definer, settings in functions if definer}
    assert len(acting_for_the_owner) == 5
    for name, settings in acting_for_the_owner.items():
        assert "search_path=pg_catalog, pg_temp" in settings, name
