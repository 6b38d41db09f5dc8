-- The client's certificate that a session is bound to (RFC 8705): SHA-256 in base64url. Null: none was asked for.
ALTER TABLE "sessions" ADD COLUMN "certificate" TEXT;
ALTER TABLE sessions ADD CONSTRAINT sessions_certificate_check CHECK (certificate ~ '^[A-Za-z0-9_-]{43}$');
