-- From schema version 2 to 3: several requests to append are carried out as one transaction, the guard is quicker, and
-- the head of the store is read by one step of the primary key, whatever a cached plan believes about its size.
--
-- Run by upgrade_schema(), in one transaction and under the append lock. This file stays as it is: what later versions
-- change is for their own upgrades.

CREATE OR REPLACE FUNCTION public.events_schema_version() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT 3';

CREATE OR REPLACE FUNCTION public.events_before_insert() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1165382516, -1479727618);  -- the append lock: same literals in all four places
    PERFORM pg_notify('public.events', '');
    RETURN NULL;
END
$$;

-- The guard, for when something is newer than the caller's position: the first newer event that matches an item of
-- the filter. The range is bounded on both sides and fenced by OFFSET 0, so that it stays a short walk along the
-- primary key whatever a cached plan believes about the size of the table. Settings and rights are those of the append
-- functions, which alone call it.
CREATE OR REPLACE FUNCTION public.events_guard(
    p_filter jsonb, p_after bigint, p_head bigint, INOUT p_result public.events_append_result
)
    LANGUAGE plpgsql
AS $$
BEGIN
    IF p_after > p_head THEN
        p_result.status := 'position unknown';  -- of another store: it would switch the guard off
        RETURN;
    END IF;
    IF p_head - p_after > 1000 THEN
        p_result.status := 'stale';  -- too much to look through under the lock: the client asks the indexes
        RETURN;
    END IF;
    IF p_filter = '[]' THEN
        SELECT e.sequence_number, e.event_type, e.event_id
        INTO p_result.conflict_number, p_result.conflict_type, p_result.conflict_id
        FROM public.events e
        WHERE e.sequence_number > p_after AND e.sequence_number <= p_head
        ORDER BY e.sequence_number
        LIMIT 1;
    ELSE
        SELECT e.sequence_number, e.event_type, e.event_id, item.position
        INTO p_result.conflict_number, p_result.conflict_type, p_result.conflict_id, p_result.conflict_item
        FROM (
            SELECT given.position,
                   ARRAY(SELECT jsonb_array_elements_text(given.clause -> 'types')) AS types,
                   ARRAY(SELECT jsonb_array_elements(given.clause -> 'any')) AS any_of,
                   ARRAY(SELECT jsonb_array_elements(given.clause -> 'all')) AS all_of
            FROM jsonb_array_elements(p_filter) WITH ORDINALITY given (clause, position)
            OFFSET 0
        ) item
        CROSS JOIN LATERAL (
            SELECT n.sequence_number, n.event_type, n.event_id, n.payload
            FROM public.events n
            WHERE n.sequence_number > p_after AND n.sequence_number <= p_head
            OFFSET 0
        ) e
        WHERE (item.types = '{}' OR e.event_type = ANY (item.types))
          AND (item.any_of = '{}' OR e.payload @> ANY (item.any_of))
          AND e.payload @> ALL (item.all_of)
        ORDER BY e.sequence_number, item.position
        LIMIT 1;
    END IF;
    IF p_result.conflict_number IS NOT NULL THEN
        p_result.status := 'conflict';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION public.events_append_one(
    p_event_id uuid, p_event_type text, p_occurred_at timestamptz, p_payload jsonb, p_metadata jsonb,
    p_filter jsonb, p_after bigint, p_lock_timeout text
) RETURNS public.events_append_result
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '5s'
    SET enable_seqscan = off
AS $$
DECLARE
    result  public.events_append_result;
    asked   timestamptz;
    stored  record;
BEGIN
    -- 0. Above READ COMMITTED every statement would see the snapshot from before the lock, and two writers would win.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'an append needs READ COMMITTED, this transaction is %',
            upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'active_sql_transaction';
    END IF;

    -- 1. The append lock, in a statement of its own: the snapshots of all later statements are younger than it.
    IF p_lock_timeout <> '5s' THEN
        PERFORM set_config('lock_timeout', p_lock_timeout, true);
    END IF;
    IF current_setting('client_min_messages') = 'error' THEN
        -- Until the end of the transaction: only a warning says that its commit gave up waiting for a standby.
        PERFORM set_config('client_min_messages', 'warning', true);
    END IF;
    asked := clock_timestamp();
    PERFORM pg_advisory_xact_lock(1165382516, -1479727618);
    result.lock_waited := extract(epoch FROM clock_timestamp() - asked) * 1000000;

    -- Not max(), which a plan of PostgreSQL 15 that was cached while the table was empty looks for in every row.
    SELECT coalesce((SELECT e.sequence_number FROM public.events e ORDER BY e.sequence_number DESC LIMIT 1), 0)
    INTO result.head;

    -- 2. Stored already? The connection may have died after COMMIT, and the client asks once more. The message, which
    -- nobody needs to read, gives this transaction a commit of its own: it waits for flush and standby as the first did.
    SELECT e.sequence_number, e.event_type = p_event_type AND e.payload = p_payload AS same
    INTO stored
    FROM public.events e
    WHERE e.event_id = p_event_id;
    IF FOUND THEN
        PERFORM pg_logical_emit_message(true, 'eventstore', '');
        result.status := CASE WHEN stored.same THEN 'already stored' ELSE 'event id reused' END;
        result.sequence_numbers := CASE WHEN stored.same THEN ARRAY[stored.sequence_number] END;
        RETURN result;
    END IF;

    -- 3. The guard, if anything at all came after the caller's position.
    IF p_filter IS NOT NULL AND p_after <> result.head THEN
        result := public.events_guard(p_filter, p_after, result.head, result);
        IF result.status IS NOT NULL THEN
            RETURN result;
        END IF;
    END IF;

    -- 4. The event.
    INSERT INTO public.events AS e (event_id, event_type, occurred_at, payload, metadata)
    VALUES (p_event_id, p_event_type, p_occurred_at, p_payload, p_metadata)
    RETURNING ARRAY[e.sequence_number] INTO result.sequence_numbers;
    result.status := 'appended';
    RETURN result;
END
$$;

-- Appends one event for each of several requests, as one transaction. Each has a condition of its own, is carried out
-- as if those before it had been committed already, and is answered by a row, in order.
CREATE FUNCTION public.events_append_group(
    p_event_ids uuid[], p_event_types text[], p_occurred_at timestamptz[], p_payloads text[], p_metadata text[],
    p_filters text[], p_after bigint[], p_lock_timeout text
) RETURNS SETOF public.events_append_result
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '5s'
    SET enable_seqscan = off
AS $$
DECLARE
    result  public.events_append_result;
    asked   timestamptz;
    stored  record;
    request record;
    lowest  bigint;  -- of the positions that the conditions speak of
    highest bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'an append needs READ COMMITTED, this transaction is %',
            upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'active_sql_transaction';
    END IF;

    IF p_lock_timeout <> '5s' THEN
        PERFORM set_config('lock_timeout', p_lock_timeout, true);
    END IF;
    IF current_setting('client_min_messages') = 'error' THEN
        -- Until the end of the transaction: only a warning says that its commit gave up waiting for a standby.
        PERFORM set_config('client_min_messages', 'warning', true);
    END IF;
    asked := clock_timestamp();
    PERFORM pg_advisory_xact_lock(1165382516, -1479727618);
    result.lock_waited := extract(epoch FROM clock_timestamp() - asked) * 1000000;

    SELECT coalesce((SELECT e.sequence_number FROM public.events e ORDER BY e.sequence_number DESC LIMIT 1), 0)
    INTO result.head;

    -- Mostly nothing speaks against any of them: no id is known or comes twice, every position is a recent one, and no
    -- pattern of a filter fits to anything newer, nor to an event that comes earlier among them. Then one INSERT is
    -- enough, and the guards cost what one of them costs alone. A doubt too many does no harm.
    SELECT min(given.after), max(given.after) INTO lowest, highest
    FROM unnest(p_filters, p_after) given (filter, after)
    WHERE given.filter IS NOT NULL;
    IF (lowest IS NULL OR lowest >= result.head - 1000 AND highest <= result.head)
        AND NOT EXISTS (
            SELECT FROM unnest(p_event_ids) given (event_id)
            CROSS JOIN LATERAL (SELECT FROM public.events n WHERE n.event_id = given.event_id OFFSET 0) e
        )
        AND NOT EXISTS (
            SELECT FROM unnest(p_event_ids) given (event_id) GROUP BY given.event_id HAVING count(*) > 1
        )
        AND NOT EXISTS (
            WITH guarded AS MATERIALIZED (
                SELECT given.place, given.after, pattern
                FROM unnest(p_filters, p_after) WITH ORDINALITY given (filter, after, place)
                LEFT JOIN LATERAL jsonb_array_elements(given.filter::jsonb) item ON true
                LEFT JOIN LATERAL jsonb_array_elements(coalesce(item -> 'any', item -> 'all')) pattern ON true
                WHERE given.filter IS NOT NULL
            ), newer AS MATERIALIZED (
                SELECT n.sequence_number, 0 AS place, n.payload
                FROM public.events n
                WHERE n.sequence_number > lowest AND n.sequence_number <= result.head
                UNION ALL
                SELECT result.head + 1, given.place, given.payload::jsonb
                FROM unnest(p_payloads) WITH ORDINALITY given (payload, place)
            )
            SELECT FROM guarded
            JOIN newer ON newer.sequence_number > guarded.after AND newer.place < guarded.place
                AND (guarded.pattern IS NULL OR newer.payload @> guarded.pattern)
        )
    THEN
        RETURN QUERY
            WITH appended AS (
                INSERT INTO public.events AS e (event_id, event_type, occurred_at, payload, metadata)
                SELECT given.event_id, given.event_type, given.occurred_at, given.payload::jsonb, given.metadata::jsonb
                FROM unnest(p_event_ids, p_event_types, p_occurred_at, p_payloads, p_metadata)
                         WITH ORDINALITY given (event_id, event_type, occurred_at, payload, metadata, place)
                ORDER BY given.place
                RETURNING e.sequence_number
            )
            SELECT 'appended', ARRAY[appended.sequence_number], result.head,
                   NULL::bigint, NULL::text, NULL::uuid, NULL::integer, result.lock_waited
            FROM appended
            ORDER BY appended.sequence_number;
        RETURN;
    END IF;

    -- Otherwise one after the other.
    FOR request IN
        SELECT *
        FROM unnest(p_event_ids, p_event_types, p_occurred_at, p_payloads, p_metadata, p_filters, p_after)
            given (event_id, event_type, occurred_at, payload, metadata, filter, after)
    LOOP
        result := (NULL, NULL, result.head, NULL, NULL, NULL, NULL, result.lock_waited);
        SELECT e.sequence_number, e.event_type = request.event_type AND e.payload = request.payload::jsonb AS same
        INTO stored
        FROM public.events e
        WHERE e.event_id = request.event_id;
        IF FOUND THEN
            PERFORM pg_logical_emit_message(true, 'eventstore', '');
            result.status := CASE WHEN stored.same THEN 'already stored' ELSE 'event id reused' END;
            result.sequence_numbers := CASE WHEN stored.same THEN ARRAY[stored.sequence_number] END;
        ELSIF request.filter IS NOT NULL AND request.after <> result.head THEN
            result := public.events_guard(request.filter::jsonb, request.after, result.head, result);
        END IF;
        IF result.status IS NOT NULL THEN
            RETURN NEXT result;
            CONTINUE;
        END IF;
        INSERT INTO public.events AS e (event_id, event_type, occurred_at, payload, metadata)
        VALUES (request.event_id, request.event_type, request.occurred_at,
                request.payload::jsonb, request.metadata::jsonb)
        RETURNING ARRAY[e.sequence_number] INTO result.sequence_numbers;
        result.status := 'appended';
        RETURN NEXT result;
        result.head := result.sequence_numbers[1];
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION public.events_append_batch(
    p_event_ids uuid[], p_event_types text[], p_occurred_at timestamptz[], p_payloads jsonb[], p_metadata jsonb[],
    p_filter jsonb, p_after bigint, p_lock_timeout text
) RETURNS public.events_append_result
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '5s'
    SET enable_seqscan = off
AS $$
DECLARE
    result  public.events_append_result;
    asked   timestamptz;
    stored  record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'an append needs READ COMMITTED, this transaction is %',
            upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'active_sql_transaction';
    END IF;

    IF p_lock_timeout <> '5s' THEN
        PERFORM set_config('lock_timeout', p_lock_timeout, true);
    END IF;
    IF current_setting('client_min_messages') = 'error' THEN
        -- Until the end of the transaction: only a warning says that its commit gave up waiting for a standby.
        PERFORM set_config('client_min_messages', 'warning', true);
    END IF;
    asked := clock_timestamp();
    PERFORM pg_advisory_xact_lock(1165382516, -1479727618);
    result.lock_waited := extract(epoch FROM clock_timestamp() - asked) * 1000000;

    SELECT coalesce((SELECT e.sequence_number FROM public.events e ORDER BY e.sequence_number DESC LIMIT 1), 0)
    INTO result.head;

    -- The fence (OFFSET 0) allows no other plan than a look-up by index for each id.
    SELECT array_agg(e.sequence_number ORDER BY given.position) AS sequence_numbers,
           count(*) = cardinality(p_event_ids)
               AND bool_and(e.event_type = given.event_type AND e.payload = given.payload) AS same
    INTO stored
    FROM unnest(p_event_ids, p_event_types, p_payloads)
             WITH ORDINALITY given (event_id, event_type, payload, position)
    CROSS JOIN LATERAL (
        SELECT n.sequence_number, n.event_type, n.payload
        FROM public.events n
        WHERE n.event_id = given.event_id
        OFFSET 0
    ) e;
    IF stored.sequence_numbers IS NOT NULL THEN
        PERFORM pg_logical_emit_message(true, 'eventstore', '');
        result.status := CASE WHEN stored.same THEN 'already stored' ELSE 'event id reused' END;
        result.sequence_numbers := CASE WHEN stored.same THEN stored.sequence_numbers END;
        RETURN result;
    END IF;

    IF p_filter IS NOT NULL AND p_after <> result.head THEN
        result := public.events_guard(p_filter, p_after, result.head, result);
        IF result.status IS NOT NULL THEN
            RETURN result;
        END IF;
    END IF;

    WITH appended AS (
        INSERT INTO public.events AS e (event_id, event_type, occurred_at, payload, metadata)
        SELECT given.event_id, given.event_type, given.occurred_at, given.payload, given.metadata
        FROM unnest(p_event_ids, p_event_types, p_occurred_at, p_payloads, p_metadata)
                 WITH ORDINALITY given (event_id, event_type, occurred_at, payload, metadata, position)
        ORDER BY given.position
        RETURNING e.sequence_number
    )
    SELECT array_agg(appended.sequence_number ORDER BY appended.sequence_number)
    INTO result.sequence_numbers
    FROM appended;
    result.status := 'appended';
    RETURN result;
END
$$;

REVOKE ALL ON FUNCTION
    public.events_append_group(uuid[], text[], timestamptz[], text[], text[], text[], bigint[], text)
    FROM PUBLIC;

-- Whoever may append one event may append several requests.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT CASE right_to.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(role.rolname) END AS grantee,
               CASE WHEN right_to.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS option
        FROM pg_proc function
        CROSS JOIN LATERAL aclexplode(function.proacl) right_to
        LEFT JOIN pg_roles role ON role.oid = right_to.grantee
        WHERE function.oid = 'public.events_append_one'::regproc
          AND right_to.grantee <> function.proowner
    LOOP
        EXECUTE format(
            'GRANT EXECUTE ON FUNCTION public.events_append_group(%s) TO %s%s',
            'uuid[], text[], timestamptz[], text[], text[], text[], bigint[], text', granted.grantee, granted.option
        );
    END LOOP;
END
$$;
