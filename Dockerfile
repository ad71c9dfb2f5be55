# One image for every process of Colloquy; the argument says which (docker-compose.yml shows all three):
#   dist/src/main.js         API (default)
#   dist/src/worker.js       worker
#   dist/src/cli.js migrate  tables, once before the others

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY workflows ./workflows
COPY activities ./activities
# Bundles the workflows too: a worker needs no bundler at run time.
RUN npm run build

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without the embedded PostgreSQL: what is optional serves `npm run up` alone.
RUN npm ci --omit=dev --omit=optional

FROM node:24.21.0-bookworm-slim
# In a container the network decides who reaches it.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
# Recordings: a named volume mounted here belongs to the user below.
RUN mkdir -p /data/recordings && chown -R node:node /data
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
# "node" of the base image, by number, so that runAsNonRoot can be checked.
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
# For the API. The worker has no port: switch it off there, a worker that cannot go on ends by itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["dist/src/main.js"]
