/**
 * What a data key of `data_keys` is for, and who owns it:
 * `client`: free text and names of one client · `inbox`: payloads of one provider account and day (part) ·
 * `index`: blind indexes of one client · `identity`: provider ids of one provider account ·
 * `suppression`: provider ids of all accounts, so that what was erased is recognised in any of them (system)
 */
export const KEY_PURPOSES = ['client', 'inbox', 'index', 'identity', 'suppression'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

/**
 * The keys of one conversation: one per data class, and `parked` for its parked facts, which may hold content of every class.
 */
export const KEY_CLASSES = ['record', 'transcript', 'audio', 'analysis', 'parked'] as const;
export type KeyClass = (typeof KEY_CLASSES)[number];
