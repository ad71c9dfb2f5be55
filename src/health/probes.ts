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

export class HealthProbes {
  private readonly probes: Probe[] = [];

  add(probe: Probe): void {
    this.probes.push(probe);
  }

  /** Asks all at once; a probe that does not answer within 2 s is down. */
  async ask(): Promise<{ checks: Record<string, ProbeState>; failed: Needed[] }> {
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
