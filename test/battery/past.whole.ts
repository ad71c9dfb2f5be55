// A backfill of 5,000 calls (test/reconciliation/backfill.spec.ts).
import '../reconciliation/backfill.spec.js';
