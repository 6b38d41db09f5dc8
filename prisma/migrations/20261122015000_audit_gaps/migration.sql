-- Numbers of a writer that were passed over when later ones got their places: their rows had been taken out of the outbox. After a while
-- they are declared void in the log, by signature, and the row here goes. It proves nothing: the gap is in the log itself, and without
-- its row it is never excused. Rows that are put back meanwhile get a place after all.
CREATE TABLE audit_log.gaps (
  tenant_id UUID NOT NULL,
  writer_id UUID NOT NULL,
  first_seq BIGINT NOT NULL CHECK (first_seq > 0),
  last_seq BIGINT NOT NULL,
  seen_at TIMESTAMPTZ(3) NOT NULL,
  PRIMARY KEY (tenant_id, writer_id, first_seq),
  CHECK (last_seq >= first_seq)
);

ALTER TABLE audit_log.gaps ENABLE ROW LEVEL SECURITY;
CREATE POLICY sequencer ON audit_log.gaps TO wardline_sequencer USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON audit_log.gaps TO wardline_sequencer;
