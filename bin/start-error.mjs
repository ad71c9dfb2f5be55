/** A failure that is printed as one sentence, without a stack. */
export class StartError extends Error {}
