-- A proof names its entry's tenant by itself, out of the log: no look into the database is needed for it. And two columns said when
-- a row was written, which nothing reads and nothing proves.
DROP FUNCTION wardline_audit_at(uuid, bigint);
ALTER TABLE audit_log.runs DROP COLUMN at;
ALTER TABLE audit_log.head DROP COLUMN at;
