export { checkpointFrom, copyLog, overlay } from './archive.ts'
export { CanonicalJsonError, canonicalBytes, canonicalJson, MAX_CANONICAL_DEPTH } from './canonical-json.ts'
export { type Checkpoint, formatCheckpoint, parseCheckpoint, type TreeHead } from './checkpoint.ts'
export type { ContentSummary } from './content-audit.ts'
export { readEntries } from './entry-reader.ts'
export { describeFinding, FINDING_KINDS, type Finding, type FindingKind } from './finding.ts'
export { openHandover, signHandover } from './handover.ts'
export { COSIGNATURE, NOTE_SIGNATURE, type SignatureType } from './key-text.ts'
export {
  eventLeaf,
  eventLeaves,
  handoverLeaf,
  heartbeatLeaf,
  type Leaf,
  parseLeaf,
  type SignedHandover,
  type SignedVoid,
  type VoidReason,
  type VoidStatement,
  voidLeaf,
} from './leaf.ts'
export { type LogOptions, openLog, type TransparencyLog } from './log.ts'
export { InconsistentLogError, readCheckpoint } from './log-recovery.ts'
export { memoryStore } from './memory-store.ts'
export { EMPTY_ROOT, leafHash } from './merkle-hash.ts'
export { type Note, type NoteSignature, parseNote } from './note.ts'
export {
  generateNoteKey,
  type NoteSigner,
  type NoteVerifier,
  parseSignerKey,
  parseVerifierKey,
} from './note-keys.ts'
export {
  checkProof,
  type ProofFault,
  type ProofVerdict,
  type ProvedHandover,
  proveEntry,
  readHandovers,
} from './proof-file.ts'
export {
  consistencyProof,
  inclusionProof,
  type NodeReader,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from './proofs.ts'
export { type Pruned, readPruned, writePruned } from './pruned.ts'
export { openNote, signNote } from './signed-note.ts'
export { parseTilePath, TILE_WIDTH, type TileAddress, tilePath } from './tile-path.ts'
export { TileMissingError, tileNodeReader } from './tile-reader.ts'
export { CHECKPOINT_PATH, type ReadableStore, StoreConflictError, type TileStore } from './tile-store.ts'
export { formatTlogProof, parseTlogProof, type TlogProof } from './tlog-proof.ts'
export { readWitnessed, type SignedHead, type TrustPolicy, type WitnessedHead } from './verify-checkpoints.ts'
export { type VerifyOptions, type VerifyReport, verifyLog } from './verify-log.ts'
export { formatVerified, parseVerified, type Verified } from './verify-since.ts'
export { signVoid, verifyVoid } from './void.ts'
export {
  type AddCheckpoint,
  considerCheckpoint,
  cosign,
  formatAddCheckpoint,
  readCosignatures,
  type WitnessDecision,
  type WitnessedLog,
} from './witness.ts'
