-- When the proof was made, by its device's own clock, that a refresh token was last spent with: what was made in the same moment belongs to
-- the same race, however long the network or a busy server kept it.
ALTER TABLE "refresh_tokens" ADD COLUMN "spent_proof_at" TIMESTAMPTZ(3);
