/** The start failed. The message is one sentence for the terminal: what is wrong, and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
