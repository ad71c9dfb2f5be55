// Names of the workflow of an account's backfill. Without the SDK: the services that write its commands may not import that.

/** Name of the workflow function. */
export const RECONCILIATION = 'reconciliation';

/** Signal: there is work for the account, even if the current run believes that it is done. */
export const ASKED = 'asked';
