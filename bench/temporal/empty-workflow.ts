// Does nothing: the most that a Temporal server can do in a second.
export async function empty(): Promise<void> {}
