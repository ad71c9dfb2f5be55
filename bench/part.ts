// The child side of startPart() (programs.ts): serves plan and go messages of the parent process.

/** A prepared part: information for the parent, and the measurement to run on `go`. */
export interface Prepared<Ready, Result> {
  ready: Ready;
  go: () => Promise<Result>;
}

/** Prepares the plan that the parent sends, answers, waits for `go`, measures, answers. */
export function servePart<Plan, Ready, Result>(prepare: (plan: Plan) => Promise<Prepared<Ready, Result>>): void {
  let prepared: Promise<Prepared<Ready, Result>> | undefined;
  const reply = (work: Promise<unknown>): void => {
    work.then(
      (value) => process.send?.({ value }),
      (error: unknown) =>
        process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : 'unknown' }),
    );
  };
  process.on('message', (message: { plan: Plan } | { go: true }) => {
    if ('plan' in message) {
      prepared = prepare(message.plan);
      reply(prepared.then(({ ready }) => ready));
    } else if (prepared !== undefined) {
      reply(prepared.then(({ go }) => go()));
    }
  });
  // The parent has ended.
  process.once('disconnect', () => process.exit(0));
}
