// The other end of startPart: what every process of the harness does first.

/** What a part has prepared: a word for the parent, and what to do when it says go. */
export interface Prepared<Ready, Result> {
  ready: Ready;
  go: () => Promise<Result>;
}

/** Serves the parent process: prepares by its plan, answers, waits for its go, measures, answers. */
export function servePart<Plan, Ready, Result>(prepare: (plan: Plan) => Promise<Prepared<Ready, Result>>): void {
  let prepared: Promise<Prepared<Ready, Result>> | undefined;
  const tell = (work: Promise<unknown>): void => {
    work.then(
      (value) => process.send?.({ value }),
      (error: unknown) =>
        process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : 'unknown' }),
    );
  };
  process.on('message', (message: { plan: Plan } | { go: true }) => {
    if ('plan' in message) {
      prepared = prepare(message.plan);
      tell(prepared.then(({ ready }) => ready));
    } else if (prepared !== undefined) {
      tell(prepared.then(({ go }) => go()));
    }
  });
  // The parent is gone: nobody waits for an answer.
  process.once('disconnect', () => process.exit(0));
}
