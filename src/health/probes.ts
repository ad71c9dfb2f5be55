// Health of the dependencies of this process. The owner of each connection registers a probe for it.
import type { ProblemCode } from '../common/errors.js';

export interface Probe {
  name: string;
  /** Resolves if the dependency answers. */
  check: () => Promise<void>;
  /** The error of `/readyz` when it is down; null: the process is ready without it. */
  code: ProblemCode | null;
}

type RequiredProbe = Probe & { code: ProblemCode };

export type ProbeState = 'up' | 'down';

const TIMEOUT_MS = 2_000;
/** Results are shared for this long, so that frequent health checks do not load the databases. */
const SHARED_MS = 1_000;

interface HealthReport {
  checks: Record<string, ProbeState>;
  failed: RequiredProbe[];
}

export class HealthProbes {
  private readonly probes: Probe[] = [];
  private draining = false;

  /** The process is about to stop: from now on it reports that it is not ready. */
  drain(): void {
    this.draining = true;
  }

  get isDraining(): boolean {
    return this.draining;
  }
  private shared: { report: Promise<HealthReport>; until: number } | undefined;

  add(probe: Probe): void {
    this.probes.push(probe);
  }

  /** Runs all probes, or returns a report that is less than a second old. */
  check(): Promise<HealthReport> {
    if (this.shared !== undefined && performance.now() < this.shared.until) return this.shared.report;
    const shared = { report: this.checkAll(), until: Infinity };
    this.shared = shared;
    void shared.report.finally(() => (shared.until = performance.now() + SHARED_MS));
    return shared.report;
  }

  /** A dependency that does not answer within 2 s is down. */
  private async checkAll(): Promise<HealthReport> {
    const results = await Promise.all(this.probes.map(async (probe) => ({ probe, isUp: await isUp(probe) })));
    return {
      checks: Object.fromEntries(results.map(({ probe, isUp: up }) => [probe.name, up ? 'up' : 'down'])),
      failed: results
        .filter((result) => !result.isUp)
        .map(({ probe }) => probe)
        .filter(isRequired),
    };
  }
}

const isRequired = (probe: Probe): probe is RequiredProbe => probe.code !== null;

async function isUp({ check }: Probe): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), TIMEOUT_MS);
  });
  const answered = check().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
