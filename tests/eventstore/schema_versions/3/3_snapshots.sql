-- The snapshots of projections: a cache beside the log. What is deleted here is folded again from the events.

CREATE TABLE public.events_snapshots (
    projection      text COLLATE "C" NOT NULL CHECK (length(projection) BETWEEN 1 AND 255),
    version         integer          NOT NULL CHECK (version > 0),  -- of the projection
    filter_hash     text COLLATE "C" NOT NULL CHECK (filter_hash ~ '^[0-9a-f]{64}$'),
    sequence_number bigint           NOT NULL CHECK (sequence_number > 0),  -- of the last event in the state
    event_id        uuid             NOT NULL,  -- of the same event: in a log that was restored it may be another
    state           bytea            NOT NULL CHECK (octet_length(state) <= 67108864),
    checksum        bytea            NOT NULL,  -- over all columns above
    saved_at        timestamptz      NOT NULL DEFAULT now(),  -- for whoever clears away what is old
    CONSTRAINT events_snapshots_pkey PRIMARY KEY (projection, version, filter_hash)
);
