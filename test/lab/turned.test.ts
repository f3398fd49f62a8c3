import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RawClient6, startRawClient6 } from './attacks/raw6.ts';
import { ADDRESSES } from './lab.ts';
import { type Listener, startListener } from './listener.ts';
import { PERMISSIVE } from './postern.ts';
import { until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * A client that speaks in its server's name: the kernel forwards its packet back to the link it came from, over IPv6
 * always. A forged answer would have Postern take STARTTLS for accepted, and read nothing any more.
 */

const SETTLE_MS = 500;

let world: World;
let client: RawClient6;
let listener: Listener;

beforeAll(async () => {
  world = await createWorld({ configuration: PERMISSIVE, offloads: false });
  const replies = [['^NOOP', '250 true\r\n']] as const;
  const script = { host: ADDRESSES.sink.v6, port: 25, greeting: '220 hi\r\n', replies };
  listener = await startListener(world.lab.server, script);
  // The router tells the server of a shorter way to the client, as it does of every packet that it turns (RFC 4861 8.2).
  const deaf = ['all', 'eth0'].map((device) => `net.ipv6.conf.${device}.accept_redirects=0`);
  await world.lab.server.must(['sysctl', '-qw', ...deaf]);
  client = await startRawClient6(world);
});
afterAll(async () => {
  client?.stop();
  await world?.close();
});

it('an answer that the client forges for its server is dropped, and the session goes on', async () => {
  const connection = await client.open();
  connection.forge('250 forged\r\n');
  await delay(SETTLE_MS);
  connection.sendNext('NOOP\r\n');
  await until('the true answer', () => connection.heard().find(({ payload }) => payload.includes('true')), 5_000);
  expect(connection.heard().filter(({ payload }) => payload.includes('forged'))).toEqual([]);
  expect(listener.lines()).toContain('NOOP');
  const { drops } = await posternOf(world).statistics();
  expect(drops).toMatchObject({ turned: 1 });
});
