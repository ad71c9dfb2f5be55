// Epochs of key-encryption keys.

/** Days for which one key-encryption key is used; afterwards live data keys are re-wrapped and it is destroyed. */
const EPOCH_DAYS = 28;

/** Number of the epoch that contains `at`: whole days since 1970 (UTC) divided by 28. */
export const epochOf = (at: Date): number => Math.floor(at.getTime() / 86_400_000 / EPOCH_DAYS);
