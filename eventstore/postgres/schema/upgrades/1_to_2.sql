-- From schema version 1 to 2: snapshots.
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
