import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cross } from './crossing.ts';
import { ADDRESSES, createLab, type Lab } from './lab.ts';
import type { Namespace } from './namespaces.ts';
import { type Postern, startPostern } from './postern.ts';
import { until } from './process.ts';

/**
 * Sessions of UDP and ICMP (cisco-ios 3.1, 3.5). The lab's client is the protected side: what comes from the server's
 * side is denied unless it belongs to a session.
 */
const IDLE_SECONDS = 2;

const CONFIGURATION = [
  'ip inspect log drop-pkt',
  `ip inspect dns-timeout ${IDLE_SECONDS}`,
  'ip inspect name GUARD udp audit-trail on timeout 60',
  'ip inspect name GUARD icmp timeout 5',
  'interface outside0',
  ' ip inspect GUARD in',
  'interface inside0',
  ' ip access-group 102 in',
  'access-list 102 deny ip any any log',
  '',
].join('\n');

const SERVER = ADDRESSES.sink.v4;
const CLIENT = ADDRESSES.client.v4;

/** A datagram from a port of one namespace's to another's address and port. */
async function sendDatagram(sender: Namespace, from: readonly [string, number], to: readonly [string, number]) {
  const program = `
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind((sys.argv[1], int(sys.argv[2])))
one.sendto(b'late', (sys.argv[3], int(sys.argv[4])))
`;
  await sender.must(['python3', '-c', program, from[0], String(from[1]), to[0], String(to[1])]);
}

describe('sessions of datagrams', () => {
  let lab: Lab;
  let postern: Postern;
  beforeAll(async () => {
    lab = await createLab();
    postern = await startPostern({ router: lab.router, folder: lab.folder, configuration: CONFIGURATION });
  });
  afterAll(async () => {
    await postern?.stop();
    await lab?.close();
  });

  const ask = (kind: 'udp' | 'icmp', port = 0, from = 0) =>
    cross(lab.client, lab.server, { to: SERVER, kind, port, from });
  const dropped = async (reason: string): Promise<number> => (await postern.statistics()).refusals[reason] ?? 0;
  const sessionTo = async (port: number) => (await postern.sessions()).find(({ responder }) => responder.port === port);

  it('an exchange over UDP is a session, with what each side sent', async () => {
    expect(await ask('udp', 8_053)).toBe('answered');
    expect(await sessionTo(8_053)).toMatchObject({
      ...{ protocol: 'udp', state: 'SIS_OPEN', rule: 'GUARD' },
      ...{ initiator: { address: CLIENT }, responder: { address: SERVER } },
      bytes: { initiator: 8, responder: 8 },
    });
    await postern.waitForLog(/Start udp session: initiator \(10\.80\.1\.2:\d+\) -- responder \(10\.80\.2\.5:8053\)/);
  });

  it('a question without an answer is half-open', async () => {
    await sendDatagram(lab.client, [CLIENT, 45_100], [SERVER, 8_054]);
    const session = await until('the session', () => sessionTo(8_054));
    expect(session).toMatchObject({ protocol: 'udp', state: 'SIS_OPENING' });
  });

  it('a question to a name server lives for dns-timeout; its answer is late after that', async () => {
    expect(await ask('udp', 53, 45_101)).toBe('answered');
    expect(await sessionTo(53)).toMatchObject({ protocol: 'udp', state: 'SIS_OPEN' });
    await until('its end', async () => (await sessionTo(53)) === undefined, 1_000 * IDLE_SECONDS + 3_000);
    await postern.waitForLog(/Stop udp session: .*:45101\) sent 8 bytes -- responder \(10\.80\.2\.5:53\) sent 8 bytes/);
    // The rule's own timeout of 60 s is not for name servers, and the other session still stands.
    expect(await sessionTo(8_053)).toBeDefined();

    const before = { session: await dropped('no-session'), list: await dropped('access-list') };
    await sendDatagram(lab.server, [SERVER, 53], [CLIENT, 45_101]);
    await until('the late answer', async () => (await dropped('no-session')) === before.session + 1);
    // That closed the opening: what comes now meets the access list.
    await sendDatagram(lab.server, [SERVER, 53], [CLIENT, 45_101]);
    await until('the list', async () => (await dropped('access-list')) > before.list);
    expect(await dropped('no-session')).toBe(before.session + 1);
    // Who asks again has a session again.
    expect(await ask('udp', 53, 45_101)).toBe('answered');
  });

  it('a ping is a session, and ends by silence', async () => {
    expect(await ask('icmp')).toBe('answered');
    const ping = async () => (await postern.sessions()).find(({ protocol }) => protocol === 'icmp');
    expect(await ping()).toMatchObject({ state: 'SIS_OPEN', responder: { address: SERVER, port: 0 } });
    await until('its end', async () => (await ping()) === undefined, 10_000);
  });

  it('a port that nobody listens on: the error comes back to who asked', async () => {
    const program = `
import socket, sys, time
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.settimeout(3)
one.connect((sys.argv[1], 8055))
one.send(b'question')
try: one.recv(99)
except ConnectionRefusedError: print('refused')
except TimeoutError: print('silence')
`;
    expect((await lab.client.must(['python3', '-c', program, SERVER])).trim()).toBe('refused');
  });

  it('packets add up, and nothing from outside opened anything', async () => {
    await delay(100);
    const { packets } = await postern.statistics();
    expect(packets.received).toBe(packets.accepted + packets.rewritten + packets.dropped + packets.held);
    await sendDatagram(lab.server, [SERVER, 8_060], [CLIENT, 8_061]);
    await delay(200);
    expect(await sessionTo(8_061)).toBeUndefined();
  });
});
