-- What was answered to requests with an Idempotency-Key. Created by `library-app init-db`.
-- Rows may be deleted when no client repeats a request so old any more, for instance after a week:
--   DELETE FROM idempotency_keys WHERE claimed_at < now() - interval '7 days';
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key         text COLLATE "C" PRIMARY KEY,
    route       text        NOT NULL,
    fingerprint text        NOT NULL,                 -- of the request body
    token       uuid        NOT NULL,                 -- of the claim that may write the answer
    occurred_at timestamptz NOT NULL,                 -- of the command, the same for every claim
    claimed_at  timestamptz NOT NULL,                 -- '-infinity': abandoned
    status      smallint,                             -- NULL until there is an answer
    body        json,
    CHECK ((status IS NULL) = (body IS NULL))
);
