# One image for all processes of Colloquy; the argument selects one (docker-compose.yml shows all three):
#   dist/src/main.js         API (default)
#   dist/src/worker.js       worker
#   dist/src/cli.js migrate  creates or updates the tables; run it before the others

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY workflows ./workflows
COPY activities ./activities
# Also bundles the workflows, so that the worker needs no bundler at run time.
RUN npm run build

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without optional packages (the embedded PostgreSQL), which only `npm run up` needs.
RUN npm ci --omit=dev --omit=optional

FROM node:24.21.0-bookworm-slim
# Listens on all addresses: the container network controls access.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
# For recordings: a named volume mounted here gets the owner of this folder.
RUN mkdir -p /data/recordings && chown -R node:node /data
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
# The user "node" of the base image, by number, so that Kubernetes can check runAsNonRoot.
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
# For the API. Disable it for the worker, which has no port and exits by itself if it cannot continue.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["dist/src/main.js"]
