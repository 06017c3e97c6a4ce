package postgres

import "fmt"

// outboxNotice announces that something is to be moved into the log; other
// notices are the number of the last message.
const outboxNotice = "outbox"

// logTable returns the name of one of the tables of the log: logs, log, sessions,
// outbox.
func (o *Options) logTable(name string) string { return o.LogPrefix + name }

// tables fills in the names of the tables, of which %[1]s is the prefix.
func (o *Options) tables(sql string) string { return fmt.Sprintf(sql, o.LogPrefix) }

func (o *Options) createLog() string {
	return o.tables(`CREATE TABLE IF NOT EXISTS %[1]slogs (
	channel text PRIMARY KEY,
	born bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
	head bigint NOT NULL DEFAULT 0,
	trimmed bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
CREATE TABLE IF NOT EXISTS %[1]slog (
	channel text,
	id bigint,
	uid text NOT NULL,
	seq bigint NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	message bytea NOT NULL,
	PRIMARY KEY (channel, id)
);
CREATE INDEX IF NOT EXISTS %[1]slog_sender ON %[1]slog (channel, uid, seq);
CREATE TABLE IF NOT EXISTS %[1]soutbox (
	id bigserial PRIMARY KEY,
	channel text NOT NULL,
	message bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS %[1]ssessions (
	key text PRIMARY KEY,
	value bytea NOT NULL,
	version bigserial,
	until timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS %[1]ssessions_until ON %[1]ssessions (until)`)
}

func (o *Options) selectState() string {
	return o.tables(`SELECT born, head, trimmed FROM %[1]slogs WHERE channel = $1`)
}

// lockLog lets one transaction at a time append. What follows it in the
// transaction sees all that was appended before.
func (o *Options) lockLog() string {
	return o.tables(`SELECT head FROM %[1]slogs WHERE channel = $1 FOR UPDATE`)
}

// appendLog adds what is not there yet: channel, uid, numbers, messages, channel
// of notifications. It returns nothing if there is no such log.
func (o *Options) appendLog() string {
	return o.tables(`WITH fresh AS (
	SELECT row_number() OVER (ORDER BY m.ord) AS n, m.seq, m.message
	FROM unnest($3::bigint[], $4::bytea[]) WITH ORDINALITY AS m (seq, message, ord)
	WHERE m.seq = 0 OR m.seq > coalesce((SELECT max(seq) FROM %[1]slog WHERE channel = $1 AND uid = $2), 0)
), moved AS (
	UPDATE %[1]slogs SET head = head + (SELECT count(*) FROM fresh) WHERE channel = $1 RETURNING head
), added AS (
	INSERT INTO %[1]slog (channel, id, uid, seq, message)
	SELECT $1, moved.head - (SELECT count(*) FROM fresh) + n, $2, seq, message FROM fresh, moved
)
SELECT pg_notify($5, head::text) FROM moved`)
}

// readLog returns what is behind a number: channel, number. It is some hundred
// messages and some megabytes at most, but one at least.
func (o *Options) readLog() string {
	return o.tables(`SELECT id, message FROM (
	SELECT id, message, sum(octet_length(message)) OVER (ORDER BY id) - octet_length(message) AS before
	FROM (SELECT id, message FROM %[1]slog WHERE channel = $1 AND id > $2 ORDER BY id LIMIT 500) AS first
) AS summed WHERE before < 4194304 ORDER BY id`)
}

// trimLog removes messages that are older than so many seconds, or more than so
// many: channel, seconds, number.
func (o *Options) trimLog() string {
	return o.tables(`WITH old AS (
	SELECT max(id) AS id FROM (SELECT id, at FROM %[1]slog WHERE channel = $1 ORDER BY id LIMIT 10000) AS first
	WHERE at < now() - make_interval(secs => $2) OR id <= (SELECT head FROM %[1]slogs WHERE channel = $1) - $3::bigint
), gone AS (
	DELETE FROM %[1]slog WHERE channel = $1 AND id <= (SELECT id FROM old)
)
UPDATE %[1]slogs SET trimmed = greatest(trimmed, old.id) FROM old WHERE channel = $1 AND old.id IS NOT NULL`)
}

func (o *Options) anyOutbox() string {
	return o.tables(`SELECT EXISTS (SELECT FROM %[1]soutbox WHERE channel = $1)`)
}

// moveOutbox moves what was emitted in transactions into the log: channel, channel
// of notifications.
func (o *Options) moveOutbox() string {
	return o.tables(`WITH o AS (
	DELETE FROM %[1]soutbox WHERE EXISTS (SELECT FROM %[1]slogs WHERE channel = $1)
	AND id IN (SELECT id FROM %[1]soutbox WHERE channel = $1 ORDER BY id LIMIT 500) RETURNING id, message
), fresh AS (
	SELECT row_number() OVER (ORDER BY id) AS n, message FROM o
), moved AS (
	UPDATE %[1]slogs SET head = head + (SELECT count(*) FROM fresh)
	WHERE channel = $1 AND EXISTS (SELECT FROM fresh) RETURNING head
), added AS (
	INSERT INTO %[1]slog (channel, id, uid, seq, message)
	SELECT $1, moved.head - (SELECT count(*) FROM fresh) + n, 'emitter', 0, message FROM fresh, moved
)
SELECT pg_notify($2, head::text) FROM moved`)
}

// emitOutbox emits in a transaction: channel, message, channel of notifications.
func (o *Options) emitOutbox() string {
	return o.tables(`WITH o AS (INSERT INTO %[1]soutbox (channel, message) VALUES ($1, $2) RETURNING id)
SELECT pg_notify($3, '` + outboxNotice + `') FROM o`)
}

// Of those that write a session over one version one succeeds, since the others
// wait for its commit and look again then. What is over is not there.

// putSession writes one that is not there, or whatever is there: key, value,
// seconds, always.
func (o *Options) putSession() string {
	return o.tables(`INSERT INTO %[1]ssessions AS s (key, value, until) VALUES ($1, $2, now() + make_interval(secs => $3))
ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until,
	version = CASE WHEN s.value = excluded.value THEN s.version ELSE excluded.version END
WHERE $4::bool OR s.value = excluded.value OR s.until < now() RETURNING version`)
}

// replaceSession writes over a version: key, value, seconds, version.
func (o *Options) replaceSession() string {
	return o.tables(`UPDATE %[1]ssessions SET value = $2, until = now() + make_interval(secs => $3),
	version = CASE WHEN value = $2 THEN version ELSE nextval(pg_get_serial_sequence('%[1]ssessions', 'version')) END
WHERE key = $1 AND until >= now() AND (version = $4 OR value = $2) RETURNING version`)
}

// takeSession deletes one of a version: key, version, always. It returns 1.
func (o *Options) takeSession() string {
	return o.tables(`DELETE FROM %[1]ssessions WHERE key = $1 AND ($3::bool OR version = $2 AND until >= now()) RETURNING 1::bigint`)
}

// missingSession returns 1 if there is none: key.
func (o *Options) missingSession() string {
	return o.tables(`SELECT 1::bigint WHERE NOT EXISTS (SELECT FROM %[1]ssessions WHERE key = $1 AND until >= now())`)
}
