// An account's past with 5,000 calls (test/reconciliation/backfill.spec.ts).
import '../reconciliation/backfill.spec.js';
