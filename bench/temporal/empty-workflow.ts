// An empty workflow, to measure how many a Temporal server can complete per second.
export async function empty(): Promise<void> {}
