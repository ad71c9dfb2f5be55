// What this process works with, each by name, and what it cannot do without. Whoever owns a connection adds its probe.
import type { ProblemCode } from '../common/errors.js';

export interface Probe {
  name: string;
  /** Resolves when the part answers. */
  check: () => Promise<void>;
  /** What its absence means to callers; null: the process is ready without it. */
  code: ProblemCode | null;
}

type Needed = Probe & { code: ProblemCode };

export type ProbeState = 'up' | 'down';

const TIMEOUT_MS = 2_000;
/** One answer serves everybody who asks within this time: asking costs the databases the same, however often it is done. */
const SHARED_MS = 1_000;

interface Answer {
  checks: Record<string, ProbeState>;
  failed: Needed[];
}

export class HealthProbes {
  private readonly probes: Probe[] = [];
  private draining = false;

  /** The process is about to stop: whoever asks whether it is ready is told to go elsewhere. */
  drain(): void {
    this.draining = true;
  }

  get isDraining(): boolean {
    return this.draining;
  }
  private shared: { answer: Promise<Answer>; until: number } | undefined;

  add(probe: Probe): void {
    this.probes.push(probe);
  }

  /** How everything is, or was less than a second ago. */
  ask(): Promise<Answer> {
    if (this.shared !== undefined && performance.now() < this.shared.until) return this.shared.answer;
    const shared = { answer: this.askAll(), until: Infinity };
    this.shared = shared;
    void shared.answer.finally(() => (shared.until = performance.now() + SHARED_MS));
    return shared.answer;
  }

  /** Asks all at once; a probe that does not answer within 2 s is down. */
  private async askAll(): Promise<Answer> {
    const answers = await Promise.all(this.probes.map(async (probe) => ({ probe, isUp: await isUp(probe) })));
    return {
      checks: Object.fromEntries(answers.map(({ probe, isUp: up }) => [probe.name, up ? 'up' : 'down'])),
      failed: answers
        .filter((answer) => !answer.isUp)
        .map(({ probe }) => probe)
        .filter(isNeeded),
    };
  }
}

const isNeeded = (probe: Probe): probe is Needed => probe.code !== null;

async function isUp({ check }: Probe): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), TIMEOUT_MS);
  });
  const asked = check().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
