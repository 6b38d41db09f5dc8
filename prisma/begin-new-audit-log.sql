-- Forgets the places of the old log, so that a new one can be begun (docs/audit.md, "When it is refused"). As the owner of the tables, with
-- every server and sequencer stopped, and the old log kept.
BEGIN;
ALTER TABLE audit_log.runs DISABLE TRIGGER USER;
TRUNCATE audit_log.runs, audit_log.head, audit_log.events, audit_log.hours, audit_log.days, audit_log.indexed, audit_log.gaps;
ALTER TABLE audit_log.runs ENABLE ALWAYS TRIGGER runs_keep_rows;
ALTER TABLE audit_log.runs ENABLE ALWAYS TRIGGER runs_keep_table;
COMMIT;
