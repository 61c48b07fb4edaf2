-- The secondary indexes. Apart from the rest, because bulk loading into an empty store builds them at the end.

-- Finds `payload @> {"BookID": …}`. Without fastupdate, or every query would also search the list of pending entries.
CREATE INDEX events_payload ON public.events USING gin (payload jsonb_path_ops) WITH (fastupdate = off);

CREATE INDEX events_event_type ON public.events (event_type, sequence_number);

-- Appended roughly in the order of time: a few kilobytes serve a log of any size.
CREATE INDEX events_occurred_at ON public.events USING brin (occurred_at);

CREATE UNIQUE INDEX events_event_id ON public.events (event_id);
