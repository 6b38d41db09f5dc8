export { CanonicalJsonError, canonicalBytes, canonicalJson, MAX_CANONICAL_DEPTH } from './canonical-json.ts'
