-- The events table, its order and the append (schema version 3).
--
-- Runs as it stands with psql. For an events table of another name the package replaces every public.events…, every
-- events_… and the key of the append lock; nothing else. See eventstore/README.md for why it is built this way.

CREATE SEQUENCE public.events_sequence_number AS bigint CACHE 1;

CREATE TABLE public.events (
    sequence_number bigint      NOT NULL,  -- drawn under the append lock by a trigger, never given
    event_id        uuid        NOT NULL,  -- made by the client: appending again is recognised by it
    event_type      text        NOT NULL CHECK (length(event_type) BETWEEN 1 AND 255),
    occurred_at     timestamptz NOT NULL,  -- the application's time, not the database's
    payload         jsonb       NOT NULL CHECK (jsonb_typeof(payload) = 'object'),
    metadata        jsonb       NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT events_pkey PRIMARY KEY (sequence_number)
);

ALTER SEQUENCE public.events_sequence_number OWNED BY public.events.sequence_number;

CREATE FUNCTION public.events_schema_version() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT 3';


-- Order (G2, G7) --------------------------------------------------------------------------------------------------

-- Whoever inserts, by whatever statement, first takes the append lock, so that sequence numbers are drawn and
-- become visible in one and the same order. Subscribers are woken when the transaction commits.
CREATE FUNCTION public.events_before_insert() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1165382516, -1479727618);  -- the append lock: same literals in all four places
    PERFORM pg_notify('public.events', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER events_before_insert BEFORE INSERT ON public.events
    FOR EACH STATEMENT EXECUTE FUNCTION public.events_before_insert();

-- An identity column would let OVERRIDING SYSTEM VALUE or COPY supply a number, and break the order.
CREATE FUNCTION public.events_draw_sequence_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.sequence_number IS NOT NULL THEN
        RAISE EXCEPTION 'a sequence number is drawn by the store and cannot be given'
            USING ERRCODE = 'generated_always';
    END IF;
    NEW.sequence_number := nextval('public.events_sequence_number');
    RETURN NEW;
END
$$;

CREATE TRIGGER events_draw_sequence_number BEFORE INSERT ON public.events
    FOR EACH ROW EXECUTE FUNCTION public.events_draw_sequence_number();


-- Append-only (G6) ------------------------------------------------------------------------------------------------

CREATE FUNCTION public.events_refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% refused: %.% is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER events_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON public.events
    FOR EACH STATEMENT EXECUTE FUNCTION public.events_refuse_change();


-- The append (G1, G3, G5, G8) -------------------------------------------------------------------------------------

-- What an append answers. A conflict is data, not an error: it costs no rolled back transaction.
CREATE TYPE public.events_append_result AS (
    status               text,      -- appended, already stored, conflict, stale, position unknown, event id reused
    sequence_numbers     bigint[],  -- of the events appended or already stored, in argument order
    head                 bigint,    -- the newest event of the store when the guard was evaluated
    conflict_number      bigint,    -- the first event that matches the filter after the caller's position
    conflict_type        text,
    conflict_id          uuid,
    conflict_item        integer,   -- which item of the filter it matches, from 1; null if the filter has none
    lock_waited          bigint     -- microseconds
);

-- The guard, for when something is newer than the caller's position: the first newer event that matches an item of
-- the filter. The range is bounded on both sides and fenced by OFFSET 0, so that it stays a short walk along the
-- primary key whatever a cached plan believes about the size of the table. Settings and rights are those of the append
-- functions, which alone call it.
CREATE FUNCTION public.events_guard(
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

-- Appends one event. p_filter is a JSON array of items {"types": […], "any": […], "all": […]}; null means no condition.
CREATE FUNCTION public.events_append_one(
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

-- Appends a batch, all or none: the same four steps.
CREATE FUNCTION public.events_append_batch(
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


-- Rights ----------------------------------------------------------------------------------------------------------
-- An application role needs SELECT on the table and EXECUTE on the three append functions, and nothing else.

REVOKE ALL ON FUNCTION
    public.events_before_insert(), public.events_draw_sequence_number(), public.events_refuse_change(),
    public.events_guard(jsonb, bigint, bigint, public.events_append_result),
    public.events_append_one(uuid, text, timestamptz, jsonb, jsonb, jsonb, bigint, text),
    public.events_append_group(uuid[], text[], timestamptz[], text[], text[], text[], bigint[], text),
    public.events_append_batch(uuid[], text[], timestamptz[], jsonb[], jsonb[], jsonb, bigint, text)
    FROM PUBLIC;
