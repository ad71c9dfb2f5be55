/** A start that cannot go on. The message is one sentence for the person at the terminal: what is wrong, and the ways out. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
