# The Wardline server. Build: docker compose build. Run: docker-compose.yml shows what it needs and what it may not do.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY . .
RUN npm run build

# What runs needs less than what builds: no test tools, no embedded PostgreSQL, no second Node.
FROM node:24-bookworm-slim AS modules
WORKDIR /app
ENV CI=true
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml .npmrc ./
COPY packages/protocol/package.json packages/protocol/
COPY packages/policy/package.json packages/policy/
COPY packages/transparency-log/package.json packages/transparency-log/
COPY packages/client/package.json packages/client/
COPY apps/server/package.json apps/server/
COPY apps/web/package.json apps/web/
COPY apps/cli/package.json apps/cli/
COPY apps/load/package.json apps/load/
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile --prod --no-optional \
  --filter "@wardline/server..." --filter "@wardline/cli..."

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production WARDLINE_DATA=/var/lib/wardline
COPY --from=modules /app ./
COPY packages/ packages/
COPY apps/server/ apps/server/
COPY apps/cli/ apps/cli/
COPY prisma/ prisma/
COPY scripts/healthcheck.mjs scripts/
COPY --from=build /app/apps/server/src/storage/generated/ apps/server/src/storage/generated/
COPY --from=build /app/apps/web/dist/ apps/web/dist/
RUN install -d -o node -g node -m 0700 /var/lib/wardline
USER node
VOLUME /var/lib/wardline
EXPOSE 8443
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "scripts/healthcheck.mjs"]
CMD ["node", "apps/server/src/main.ts"]
