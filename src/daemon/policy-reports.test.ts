import { expect, test } from 'vitest';
import type { ToWorker, WorkerReply } from '../engine/worker-protocol.ts';
import type { ZoneMatches } from '../netfilter/counters.ts';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { zoneMatchKey } from '../policy/zone-labels.ts';
import { PolicyReports } from './policy-reports.ts';

const ZONED = { ...EMPTY_CONFIGURATION, zonePairs: [{ name: 'ZP', source: 'a', destination: 'b' }] };

function start(replies: readonly WorkerReply[] = []) {
  const asked: ToWorker[] = [];
  const kernel = new Map<string, { packets: number; bytes: number }>();
  const pool = {
    ask(question: (request: number) => ToWorker): Promise<readonly WorkerReply[]> {
      asked.push(question(1));
      return Promise.resolve(replies);
    },
  };
  const read = (): Promise<ZoneMatches> => Promise.resolve(new Map(kernel));
  const reports = new PolicyReports(pool, read);
  reports.configure(ZONED);
  return { reports, asked, kernel };
}

const counts = { packets: {}, created: 1, open: 1, maxOpen: 1, creationRate: 0, maxCreationRate: 1 };

test('the counts of all workers are one', async () => {
  const classes = [{ zonePair: 'ZP', className: 'C', ...counts }];
  const reply: WorkerReply = { kind: 'policyStatistics', statistics: { classes, applications: [], uncounted: 1 } };
  const { reports } = start([reply, reply]);
  expect(await reports.statistics()).toMatchObject({
    classes: [{ className: 'C', created: 2, open: 2 }],
    uncounted: 2,
  });
});

test("the kernel's counts are told since they were cleared, each zone-pair by itself", async () => {
  const { reports, asked, kernel } = start();
  const [mine, other] = [zoneMatchKey('Z P', 'C', 'drop'), zoneMatchKey('Z P2', 'C', 'drop')];
  kernel.set(mine, { packets: 5, bytes: 500 }).set(other, { packets: 7, bytes: 700 });
  await reports.clear('Z P');
  expect(asked).toEqual([{ kind: 'clearPolicyStatistics', request: 1, zonePair: 'Z P' }]);
  kernel.set(mine, { packets: 6, bytes: 540 });
  expect(Object.fromEntries(await reports.matches())).toEqual({
    [mine]: { packets: 1, bytes: 40 },
    [other]: { packets: 7, bytes: 700 },
  });
  await reports.clear(undefined);
  expect([...(await reports.matches()).values()].map(({ packets }) => packets)).toEqual([0, 0]);
  // The rules were taken out and loaded anew.
  kernel.set(mine, { packets: 2, bytes: 80 });
  expect((await reports.matches()).get(mine)).toEqual({ packets: 2, bytes: 80 });
});

test('without zones the kernel is not asked', async () => {
  const { reports, kernel } = start();
  kernel.set('ZP C drop', { packets: 5, bytes: 500 });
  reports.configure(EMPTY_CONFIGURATION);
  expect((await reports.matches()).size).toBe(0);
});

test('sessions of a zone-pair are cleared in all workers', async () => {
  const { reports, asked } = start([
    { kind: 'count', count: 2 },
    { kind: 'count', count: 1 },
  ]);
  expect(await reports.clearSessions(undefined)).toBe(3);
  expect(asked).toEqual([{ kind: 'clearZoneSessions', request: 1 }]);
});
