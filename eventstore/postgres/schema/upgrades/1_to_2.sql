-- From schema version 1 to 2: snapshots, and appends that wait for their commit also when they find their events stored.
--
-- Run by upgrade_schema(), in one transaction and under the append lock. This file stays as it is: what later versions
-- change is for their own upgrades.

CREATE OR REPLACE FUNCTION public.events_schema_version() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT 2';

CREATE TABLE public.events_snapshots (
    projection      text COLLATE "C" NOT NULL CHECK (length(projection) BETWEEN 1 AND 255),
    version         integer          NOT NULL CHECK (version > 0),
    filter_hash     text COLLATE "C" NOT NULL CHECK (filter_hash ~ '^[0-9a-f]{64}$'),
    sequence_number bigint           NOT NULL CHECK (sequence_number > 0),
    event_id        uuid             NOT NULL,
    state           bytea            NOT NULL CHECK (octet_length(state) <= 67108864),
    checksum        bytea            NOT NULL,
    saved_at        timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT events_snapshots_pkey PRIMARY KEY (projection, version, filter_hash)
);

-- Appends one event. p_filter is a JSON array of items {"types": […], "any": […], "all": […]}; null means no condition.
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

    SELECT coalesce(max(e.sequence_number), 0) INTO result.head FROM public.events e;

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

-- Appends a batch, all or none: the same four steps.
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

    SELECT coalesce(max(e.sequence_number), 0) INTO result.head FROM public.events e;

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
