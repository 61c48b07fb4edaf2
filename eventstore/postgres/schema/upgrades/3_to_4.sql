-- From schema version 3 to 4: the head of the store is read by one step of the primary key whatever a cached plan
-- believes about the size of the table; PostgreSQL 15 might have gone through all rows for it.
--
-- Run by upgrade_schema(), in one transaction and under the append lock. This file stays as it is: what later versions
-- change is for their own upgrades.

CREATE OR REPLACE FUNCTION public.events_schema_version() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT 4';

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

CREATE OR REPLACE FUNCTION public.events_append_group(
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
