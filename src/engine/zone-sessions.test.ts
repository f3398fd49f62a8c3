import { expect, test } from 'vitest';
import type { FlowRecord } from '../native/addon.ts';
import { createFakeAddon } from '../native/fake-addon.ts';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { PacketEngine } from './packet-engine.ts';

/** Out to in and back by one policy, and an interface in no zone with an inspection rule. */
const CONFIGURATION: Configuration = {
  ...EMPTY_CONFIGURATION,
  zones: [{ name: 'out' }, { name: 'in' }],
  interfaces: [
    { name: 'outside0', zone: 'out' },
    { name: 'inside0', zone: 'in' },
    { name: 'classic0', inspectIn: 'R' },
  ],
  rules: [{ name: 'R', protocols: [{ protocol: 'tcp' }] }],
  classMaps: [{ name: 'ALL', combine: 'match-any', matches: [{ words: ['protocol', 'tcp'] }] }],
  policyMaps: [{ name: 'P', classes: [{ name: 'ALL', actions: [['inspect']] }] }],
  zonePairs: [
    { name: 'OUT-IN', source: 'out', destination: 'in', policy: 'P' },
    { name: 'IN-OUT', source: 'in', destination: 'out', policy: 'P' },
  ],
};
const ENDS = {
  initiator: { address: [192, 0, 2, 1], port: 40_000 },
  responder: { address: [203, 0, 113, 25], port: 2_525 },
};
const WAYS = [
  { flow: 7, inInterface: 2, outInterface: 3 },
  { flow: 8, inInterface: 3, outInterface: 2 },
  { flow: 9, inInterface: 4, outInterface: 5 },
] as const;

function start() {
  const fake = createFakeAddon();
  fake.interfaces.set(2, 'outside0').set(3, 'inside0').set(4, 'classic0').set(5, 'classic1');
  const settings = {
    configuration: CONFIGURATION,
    hostname: 'mx.example',
    marks: { offloadBoth: 2, offloadResponder: 4, clear: 8, session: 16 },
  };
  const engine = new PacketEngine({ addon: fake.addon, host: 0, worker: 1, settings, log: () => undefined });
  for (const way of WAYS) fake.deliver((batch) => batch.opened({ ...way, ...ENDS, generation: 1, protocol: 'tcp' }));
  fake.flows = WAYS.map(
    (way): FlowRecord => ({
      ...{ ...way, generation: 1, protocol: 0, stage: 1, initiatorPort: 40_000, responderPort: 2_525 },
      ...{ initiatorAddress: Uint8Array.of(192, 0, 2, 1), responderAddress: Uint8Array.of(203, 0, 113, 25) },
      ...{ initiatorBytes: 1, responderBytes: 2, createdMsAgo: 1, lastHeardMsAgo: 1, offloaded: false },
      ...{ midstream: false, initiatorPackets: 3, responderPackets: 2 },
    }),
  );
  return { engine, fake };
}

test('a session is shown with its zone-pair, class and packets; one of an inspection rule without', () => {
  const { engine } = start();
  const shown = engine.sessions().map(({ zonePair, className, rule, packets }) => [zonePair, className, rule, packets]);
  expect(shown).toEqual([
    ['OUT-IN', 'ALL', '', 5],
    ['IN-OUT', 'ALL', '', 5],
    [undefined, undefined, 'R', 5],
  ]);
});

test('clear zone-pair ends the sessions of one, or of all, and none of an inspection rule', () => {
  const { engine, fake } = start();
  expect(engine.clearZoneSessions('IN-OUT')).toBe(1);
  expect(fake.applied.map(({ op, flow }) => [op, flow])).toEqual([['end', 8]]);
  expect(engine.clearZoneSessions('NONE')).toBe(0);
  expect(engine.clearZoneSessions()).toBe(2);
  expect(fake.applied.map(({ flow }) => flow)).toEqual([8, 7, 8]);
});
