import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawClient6, startRawClient6 } from './attacks/raw6.ts';
import { ADDRESSES } from './lab.ts';
import { type Listener, startListener } from './listener.ts';
import { PERMISSIVE } from './postern.ts';
import { until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * With several workers, the packets of a connection over IPv6 reach the one that knows it, whatever extension headers
 * stand in front of TCP (`src/netfilter/queue-hash.ts`, RFC 8200 4).
 */

const WORKERS = 4;
/** By their ports they fall on all workers. */
const CONNECTIONS = 12;
const RST = 4;
const [HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS] = [0, 43, 60] as const;
const CHAINS = [
  [],
  [DESTINATION_OPTIONS],
  [HOP_BY_HOP],
  [ROUTING],
  [HOP_BY_HOP, DESTINATION_OPTIONS],
  [DESTINATION_OPTIONS, ROUTING],
] as const;

let world: World;
let client: RawClient6;
let listener: Listener;

beforeAll(async () => {
  world = await createWorld({ configuration: `postern queue count ${WORKERS}\n${PERMISSIVE}`, offloads: false });
  const replies = [['^NOOP', '250 ok\r\n']] as const;
  const script = { host: ADDRESSES.sink.v6, port: 25, greeting: '220 hi\r\n', replies };
  listener = await startListener(world.lab.server, script);
  client = await startRawClient6(world);
});
afterAll(async () => {
  client?.stop();
  await world?.close();
});

describe(`with ${WORKERS} workers`, () => {
  it('lines behind extension headers are judged by the worker that has the session', async () => {
    const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => client.open()));
    const wanted = connections.flatMap((_, number) => CHAINS.map((chain) => `NOOP ${number}-${chain.join('-')}`));
    for (const [number, connection] of connections.entries()) {
      for (const chain of CHAINS) connection.sendNext(`NOOP ${number}-${chain.join('-')}\r\n`, { chain });
      connection.sendNext('XEXCH50 1\r\n', { chain: [DESTINATION_OPTIONS] });
    }
    const count = CONNECTIONS * (CHAINS.length + 1);
    await until('all lines', () => listener.lines().length >= count, 10_000);
    expect(
      listener
        .lines()
        .filter((line) => line.startsWith('NOOP'))
        .toSorted(),
    ).toEqual(wanted.toSorted());
    expect(listener.lines().filter((line) => /^x{9}$/i.test(line))).toHaveLength(CONNECTIONS);
    for (const connection of connections) {
      expect(connection.heard().filter(({ flags }) => (flags & RST) !== 0)).toEqual([]);
    }
    const { workers } = await posternOf(world).statistics();
    expect(workers).toHaveLength(WORKERS);
  });

  it('an atomic fragment goes where its connection goes (RFC 6946)', async () => {
    for (let number = 0; number < WORKERS; number++) {
      const connection = await client.open();
      const payload = `NOOP atomic ${number}\r\n`;
      connection.sendFragments({ payload }, [{ from: 0, to: 200, more: false }]);
      await until('the line', () => listener.lines().includes(payload.trimEnd()), 5_000);
    }
  });

  it('behind three the client is reset, and nothing passes unjudged', async () => {
    const before = listener.lines().length;
    const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => client.open()));
    const chain = [HOP_BY_HOP, DESTINATION_OPTIONS, ROUTING];
    for (const connection of connections) connection.sendNext('XEXCH50 1\r\n', { chain });
    const lines = () => listener.lines().slice(before);
    const resets = () => connections.filter((one) => one.heard().some(({ flags }) => (flags & RST) !== 0));
    await until('a line or RST each', () => lines().length + resets().length >= CONNECTIONS, 10_000);
    expect(resets().length).toBeGreaterThan(0);
    expect(lines().every((line) => /^x{9}$/i.test(line))).toBe(true);
  });
});
