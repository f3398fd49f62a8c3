import { expect, test } from 'vitest';
import { halfOpenId } from '../engine/session.ts';
import { HALF_OPEN_LISTED_MAX } from '../limits.ts';
import type { HalfOpenRecord } from '../native/addon.ts';
import { createFakeAddon } from '../native/fake-addon.ts';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { portProtocols } from '../policy/ports.ts';
import { clearHalfOpen, halfOpenSessions } from './half-open-sessions.ts';

const PORTS = portProtocols(EMPTY_CONFIGURATION);

const record = (entry: number, more: Partial<HalfOpenRecord> = {}): HalfOpenRecord => ({
  ...{ entry, generation: 9, initiatorAddress: Uint8Array.of(198, 51, 100, 1), initiatorPort: 40_000 },
  ...{ responderAddress: Uint8Array.of(203, 0, 113, 25), responderPort: 25, answered: false, createdMsAgo: 2_900 },
  ...more,
});

function fakeWith(...records: readonly HalfOpenRecord[]) {
  const fake = createFakeAddon();
  fake.halfOpen = [...records];
  return fake;
}

test('a half-open session is listed as the protocol of its port, with how far it has come', () => {
  const { addon } = fakeWith(record(4), record(7, { responderPort: 8_080, answered: true }));
  expect(halfOpenSessions(addon, 0, PORTS)).toEqual([
    {
      ...{ id: halfOpenId(4, 9), protocol: 'smtp', state: 'SIS_OPENING', stage: 'syn', rule: '', offloaded: false },
      initiator: { address: '198.51.100.1', port: 40_000 },
      responder: { address: '203.0.113.25', port: 25 },
      bytes: { initiator: 0, responder: 0 },
      ...{ createdSecondsAgo: 2, lastHeardSecondsAgo: 2 },
    },
    expect.objectContaining({ id: halfOpenId(7, 9), protocol: 'tcp', stage: 'syn-ack' }),
  ]);
});

test('a listing reaches over its calls and ends at its limit', () => {
  const some = Array.from({ length: 3_000 }, (_, index) => record(2 * index));
  const listed = halfOpenSessions(fakeWith(...some).addon, 0, PORTS);
  expect(listed.map(({ id }) => id)).toEqual(some.map(({ entry }) => halfOpenId(entry, 9)));
  const many = Array.from({ length: HALF_OPEN_LISTED_MAX + 5 }, (_, entry) => record(entry));
  expect(halfOpenSessions(fakeWith(...many).addon, 0, PORTS)).toHaveLength(HALF_OPEN_LISTED_MAX);
});

test('one is cleared by its id, with the whole generation', () => {
  const fake = fakeWith(record(4, { generation: 2_048 + 9 }), record(7));
  expect(clearHalfOpen(fake.addon, 0, halfOpenId(4, 9).toLowerCase())).toBe(1);
  expect(fake.halfOpenCleared).toEqual([[4, 2_048 + 9]]);
});

test('an id of an entry that is gone, reused or never was clears nothing', () => {
  const fake = fakeWith(record(4), record(7));
  const ids = [halfOpenId(5, 9), halfOpenId(4, 8), halfOpenId(99, 9), '00020004', '', 'nonsense'];
  expect(ids.map((id) => clearHalfOpen(fake.addon, 0, id))).toEqual(ids.map(() => 0));
  expect(fake.halfOpenCleared).toEqual([]);
});

test('all', () => {
  const fake = fakeWith(record(4), record(7));
  expect(clearHalfOpen(fake.addon, 0, 'all')).toBe(2);
  expect(fake.halfOpenCleared).toEqual([[-1, 0]]);
});
