import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RawServer, startRawServer } from './attacks/raw-server.ts';
import { talk } from './dialogue.ts';
import { PERMISSIVE } from './postern.ts';
import { until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * RFC 7323 5.3, from the first octet of a server: what a Linux client drops for its timestamp is not judged either. A
 * greeting that would end the session, forged with an old stamp, ends nothing.
 */

const [SYN, ACK, SYN_ACK] = [2, 16, 0x12] as const;
const FIRST = 7_000_000;
const SETTLE_MS = 500;

let world: World;
let server: RawServer;

beforeAll(async () => {
  world = await createWorld({ configuration: PERMISSIVE, offloads: false });
  server = await startRawServer(world);
});
afterAll(async () => {
  server?.stop();
  await world?.close();
});

it('a greeting with a timestamp older than the SYN-ACK is dropped, and the true one is read', async () => {
  const steps = [{ expect: '^220 ', timeoutMs: 8_000 }, { sleepMs: SETTLE_MS }] as const;
  const talking = talk(world.lab.client, { host: server.address, port: 25, steps });
  const syn = await until('a SYN', () => server.heard().find(({ flags }) => (flags & SYN_ACK) === SYN));
  const acknowledgement = syn.sequence + 1;
  server.send(syn, { sequence: FIRST - 1, acknowledgement, payload: '', fl: 'SA' });
  await until('the end of the handshake', () => server.heard().find(({ flags }) => flags === ACK));
  server.send(syn, { sequence: FIRST, acknowledgement, payload: 'SSH-2.0-forged\r\n', ts: '-500' });
  await delay(SETTLE_MS);
  server.send(syn, { sequence: FIRST, acknowledgement, payload: '220 spoken\r\n' });
  const told = await talking;
  expect(told.received).toBe('220 spoken\r\n');
  expect(told.stoppedAt).toBeUndefined();
  const { drops } = await posternOf(world).statistics();
  expect(Object.entries(drops).filter(([name, count]) => /timestamp|-ts/.test(name) && count > 0)).toHaveLength(1);
});
