#!/bin/sh
# Registers the namespace once the server serves. Search attributes are registered by the worker.
set -eu
for _ in $(seq 60); do
  if temporal operator namespace describe -n "$NAMESPACE" >/dev/null 2>&1; then exit 0; fi
  if temporal operator namespace create -n "$NAMESPACE" --retention "$RETENTION" >/dev/null 2>&1; then exit 0; fi
  sleep 2
done
echo "The namespace $NAMESPACE could not be registered at $TEMPORAL_ADDRESS within two minutes." >&2
exit 1
