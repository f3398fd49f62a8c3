import { describe, expect, test } from 'vitest';
import { GATE_STALL_MS, judgePulse as judge, MAIN_LOOP_STALL_MS, type Pulse, WORKER_STALL_MS } from './watchdog.ts';

const judgePulse = (pulse: Omit<Pulse, 'gateHeartbeatAgeMs'> & Partial<Pulse>) =>
  judge({ gateHeartbeatAgeMs: 0, ...pulse });

const worker = (queue: number, heartbeatAgeMs: number) => ({ queue, heartbeatAgeMs, restarts: 0 });

describe('the watchdog is fed', () => {
  test('while the main loop and every worker are alive', () => {
    const workers = [worker(0, 3), worker(1, WORKER_STALL_MS - 1)];
    expect(judgePulse({ mainLoopLateMs: 5, expectedWorkers: 2, workers })).toEqual({
      ...{ feed: true, stalledQueues: [], gateStalled: false },
    });
  });

  test('while the gate is a little late', () => {
    const pulse = { mainLoopLateMs: 0, expectedWorkers: 1, workers: [worker(0, 1)] };
    expect(judgePulse({ ...pulse, gateHeartbeatAgeMs: GATE_STALL_MS - 1 }).feed).toBe(true);
  });
});

describe('the watchdog is not fed', () => {
  test('when one worker of several is silent, and its queue is named', () => {
    const workers = [worker(4, 3), worker(5, WORKER_STALL_MS), worker(6, 1)];
    const decision = judgePulse({ mainLoopLateMs: 0, expectedWorkers: 3, workers });
    expect(decision).toMatchObject({ feed: false, stalledQueues: [5] });
    expect(decision.because).toContain('queue 5');
  });

  test('when a heartbeat is not a number', () => {
    const workers = [worker(0, Number.NaN)];
    expect(judgePulse({ mainLoopLateMs: 0, expectedWorkers: 1, workers })).toMatchObject({ stalledQueues: [0] });
  });

  test.each([GATE_STALL_MS, Number.NaN])(
    "when the gate's thread has not come round for %d ms",
    (gateHeartbeatAgeMs) => {
      const pulse = { mainLoopLateMs: 0, expectedWorkers: 1, workers: [worker(0, 1)], gateHeartbeatAgeMs };
      expect(judgePulse(pulse)).toMatchObject({ feed: false, gateStalled: true, stalledQueues: [] });
      expect(judgePulse(pulse).because).toContain('gate');
    },
  );

  test('when a worker is missing altogether', () => {
    const decision = judgePulse({ mainLoopLateMs: 0, expectedWorkers: 2, workers: [worker(0, 1)] });
    expect(decision).toMatchObject({ feed: false, because: '1 of 2 workers are running' });
  });

  test.each([MAIN_LOOP_STALL_MS, Number.NaN])('when the main loop is %d ms late', (mainLoopLateMs) => {
    expect(judgePulse({ mainLoopLateMs, expectedWorkers: 1, workers: [worker(0, 1)] }).feed).toBe(false);
  });
});
