import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admission, afterAnswer, afterOutage, CLOSED, isOutage, OPENS_AT, type Circuit } from './circuit.js';

const NOW = 1_760_000_000_000;
const least = () => 0;

/** The circuit after this many consecutive outages, each as soon as a request may be sent. */
function afterOutages(count: number, random = least): { circuit: Circuit; now: number } {
  let [circuit, now] = [CLOSED, NOW];
  for (let outage = 0; outage < count; outage += 1) {
    const admitted = admission(circuit, now);
    if (typeof admitted === 'object') now = admitted.until;
    circuit = afterOutage(circuit, 503, now, random);
  }
  return { circuit, now };
}

describe('the circuit of an account', () => {
  it('opens at the fifth consecutive outage, and not before', () => {
    expect(afterOutages(OPENS_AT - 1).circuit.state).toBe('closed');
    expect(afterOutages(OPENS_AT).circuit).toMatchObject({ state: 'open', openings: 1, status: 503 });
  });

  it('starts counting again after any answer', () => {
    const { circuit } = afterOutages(OPENS_AT - 1);
    expect(circuit.failures).toBe(OPENS_AT - 1);
    expect(afterOutage(afterAnswer(), null, NOW, least)).toMatchObject({ state: 'closed', failures: 1 });
  });

  it('holds back every request until its time, then allows one trial', () => {
    const { circuit, now } = afterOutages(OPENS_AT);
    expect(admission(circuit, now)).toEqual({ until: circuit.retryAt });
    expect(admission(circuit, circuit.retryAt)).toBe('trial');
  });

  it('doubles the pause after each failed trial, up to a minute, half of it at random', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6].map((trials) => {
      const { circuit, now } = afterOutages(OPENS_AT + trials, () => 1);
      return circuit.retryAt - now;
    });
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    const { circuit, now } = afterOutages(OPENS_AT + 6);
    expect(circuit.retryAt - now).toBe(30_000);
  });

  it('is never open for more than a minute at a time, and closes after any answer', () => {
    const outages = fc.array(
      fc.record({ status: fc.constantFrom(null, 401, 500, 503), chance: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(outages, (all) => {
        let circuit = CLOSED;
        for (const { status, chance } of all) {
          circuit = afterOutage(circuit, status, NOW, () => chance);
          expect(circuit.state === 'open' ? circuit.retryAt - NOW : 1).toBeGreaterThan(0);
          expect(circuit.retryAt).toBeLessThanOrEqual(NOW + 60_000);
        }
        expect(admission(circuit, NOW + 60_000)).not.toBeInstanceOf(Object);
      }),
    );
    expect(afterAnswer()).toEqual(CLOSED);
  });

  it('counts failures that concern the account, and none that concern one conversation', () => {
    const outages = [null, 500, 502, 503, 504, 408, 401, 403];
    expect(outages.filter((status) => !isOutage({ status, retryable: true }))).toEqual([]);
    expect([400, 404, 409, 410, 422, 429].filter((status) => isOutage({ status, retryable: false }))).toEqual([]);
    expect(isOutage({ status: null, retryable: false })).toBe(false);
  });
});
