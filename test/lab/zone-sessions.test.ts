import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendLateSegment } from './crossing.ts';
import { ADDRESSES } from './lab.ts';
import { must } from './process.ts';
import { type Ask, BOTH_ZONES, createZoneLab, PAIR, policy, type ZoneLab } from './zone-lab.ts';

/** What zone policies inspect: sessions, whose answers need no pair, and rates (cisco-ios 1.9, 1.10). */

/** A long connection: sends a line every 200 ms, each is echoed; answers how many came back. */
const LONG = `
import ctypes, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def enter(name):
    with open('/run/netns/' + name) as space:
        if libc.setns(space.fileno(), 0x40000000) != 0: raise OSError(ctypes.get_errno(), name)
client_space, server_space, address, port, times = sys.argv[1:6]
enter(server_space)
server = socket.create_server((address, int(port)))
server.settimeout(3)
enter(client_space)
client = socket.create_connection((address, int(port)), 3)
peer, _ = server.accept()
peer.settimeout(3)
echoed = 0
try:
    for n in range(int(times)):
        client.sendall(b'x')
        peer.sendall(peer.recv(9))
        client.recv(9)
        echoed += 1
        time.sleep(0.2)
except OSError: pass
print(echoed)
`;

/** Octets that arrive within so many seconds, from client to server or, with `back`, the other way. */
const POUR = `
import ctypes, socket, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def enter(name):
    with open('/run/netns/' + name) as space:
        if libc.setns(space.fileno(), 0x40000000) != 0: raise OSError(ctypes.get_errno(), name)
client_space, server_space, address, port, seconds, way = sys.argv[1:7]
enter(server_space)
server = socket.create_server((address, int(port)))
server.settimeout(3)
enter(client_space)
client = socket.create_connection((address, int(port)), 3)
peer, _ = server.accept()
sender, receiver = (peer, client) if way == 'back' else (client, peer)
until = time.monotonic() + float(seconds)
def pour():
    sender.settimeout(0.2)
    while time.monotonic() < until:
        try: sender.send(b'x' * 16384)
        except OSError: pass
threading.Thread(target=pour, daemon=True).start()
receiver.settimeout(0.2)
octets = 0
while time.monotonic() < until:
    try: octets += len(receiver.recv(65536))
    except OSError: pass
print(octets)
`;

describe('inspected zones', () => {
  let zones: ZoneLab;
  beforeAll(async () => {
    zones = await createZoneLab();
  });
  afterAll(async () => {
    await zones?.close();
  });

  const inward = (ask: Ask) => zones.inward(ask);
  const outward = (ask: Ask) => zones.outward(ask);
  const python = async (program: string, ...words: readonly string[]): Promise<number> => {
    const { client, server } = zones.lab;
    return Number(await must(['python3', '-c', program, client.name, server.name, ...words], { timeoutMs: 30_000 }));
  };

  it('answers need no pair, whatever the transport; nothing begins on their way', async () => {
    await zones.load(BOTH_ZONES, policy('P', { TCP: 'inspect', UDP: 'inspect', ICMP: 'inspect' }), PAIR);
    for (const kind of ['tcp', 'udp', 'icmp'] as const) {
      expect(await inward({ kind, port: 8_101 }), kind).toBe('answered');
      expect(await outward({ kind, port: 8_102 }), kind).toBe('silence');
    }
    expect(await inward({ kind: 'tcp', port: 8_103, to: ADDRESSES.sink.v6 })).toBe('answered');
    expect(await inward({ kind: 'udp', port: 8_104, to: ADDRESSES.sink.v6 })).toBe('answered');
  });

  it('one class inspected, another passed, the rest dropped', async () => {
    await zones.load(BOTH_ZONES, policy('P', { HTTP: 'inspect', UDP: 'pass', 'class-default': 'drop' }), PAIR);
    expect(await inward({ kind: 'tcp', port: 80 })).toBe('answered');
    expect(await inward({ kind: 'udp', port: 8_110 })).toBe('silence');
    expect(await inward({ kind: 'tcp', port: 8_111 })).toBe('silence');
    expect(await inward({ kind: 'icmp' })).toBe('silence');
  });

  it('a class of a list and nothing else inspects all of it', async () => {
    await zones.load(BOTH_ZONES, policy('P', { LISTED: 'inspect' }), PAIR);
    for (const kind of ['tcp', 'udp', 'icmp'] as const)
      expect(await inward({ kind, port: 8_112 }), kind).toBe('answered');
    expect(await inward({ kind: 'tcp', port: 8_113, to: ADDRESSES.exim.v4 })).toBe('silence');
  });

  it('a session lives on under a new policy, which new ones meet', async () => {
    await zones.load(BOTH_ZONES, policy('P', { TCP: 'inspect' }), PAIR);
    const long = python(LONG, ADDRESSES.sink.v4, '8120', '25');
    await delay(1_500);
    await zones.load(BOTH_ZONES, policy('P', { 'class-default': 'drop' }), PAIR);
    expect(await inward({ kind: 'tcp', port: 8_121 })).toBe('silence');
    expect(await long).toBe(25);
  });

  it('errors about the packets of a session come back, and no others do', async () => {
    const { client, server } = zones.lab;
    await zones.load(BOTH_ZONES, policy('P', { UDP: 'inspect' }), PAIR);
    const ask = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1.5)
s.connect(('${ADDRESSES.sink.v4}', 8130))
s.send(b'x')
try: s.recv(9)
except ConnectionRefusedError: print('refused')
except OSError: print('silence')`;
    expect((await client.must(['python3', '-c', ask])).trim()).toBe('refused');
    await client.must(['iptables', '-w', '-t', 'raw', '-A', 'PREROUTING', '-p', 'tcp', '--sport', '8131']);
    await sendLateSegment(server, `${ADDRESSES.sink.v4}:8131`, `${ADDRESSES.client.v4}:45678`);
    await delay(200);
    const arrived = await client.must(['iptables', '-w', '-t', 'raw', '-nvxL', 'PREROUTING']);
    expect(/^ *(\d+) .*spt:8131/m.exec(arrived)?.[1]).toBe('0');
  });

  it('the router: sessions that begin there, and sessions that end there', async () => {
    await zones.load(BOTH_ZONES, policy('P', { TCP: 'inspect', ICMP: 'inspect', 'class-default': 'drop' }), [
      'zone-pair security SELF-OUT source self destination outside',
      ' service-policy type inspect P',
      'zone-pair security OUT-SELF source outside destination self',
      ' service-policy type inspect NOTHING',
      ...policy('NOTHING', { HTTP: 'inspect', 'class-default': 'drop' }),
    ]);
    expect(await zones.fromRouter({ kind: 'tcp', port: 8_140 })).toBe('answered');
    expect(await zones.fromRouter({ kind: 'icmp' })).toBe('answered');
    // What OUTPUT drops, its program is told of.
    expect(await zones.fromRouter({ kind: 'udp', port: 8_141 })).toBe('Operation not permitted');
    expect(await zones.toRouter({ kind: 'tcp', port: 80 })).toBe('answered');
    expect(await zones.toRouter({ kind: 'tcp', port: 8_142 })).toBe('silence');
    expect(await zones.fromRouter({ kind: 'tcp', port: 8_143, to: ADDRESSES.client.v6 })).toBe('answered');
  });

  it.each(['forth', 'back'])('police holds a class to its rate (%s), and counts what is beyond it', async (way) => {
    const seconds = 6;
    const octetsASecond = 100_000;
    await zones.load(BOTH_ZONES, policy('P', { TCP: 'inspect; police rate 800000 burst 100000' }), PAIR);
    const octets = await python(POUR, ADDRESSES.sink.v4, way === 'forth' ? '8150' : '8151', String(seconds), way);
    expect(octets / seconds).toBeLessThan(octetsASecond * 1.25);
    expect(octets / seconds).toBeGreaterThan(octetsASecond * 0.3);
    const rules = await zones.lab.router.must(['iptables-save', '-c', '-t', 'mangle']);
    expect(Number(/\[(\d+):\d+\] -A POSTERN-ZONE-\d+ .*"zone OUT-DMZ TCP police"/.exec(rules)?.[1])).toBeGreaterThan(0);
  });

  it('what is not policed is not held', async () => {
    await zones.load(
      BOTH_ZONES,
      policy('P', { HTTP: 'inspect; police rate 800000 burst 100000', TCP: 'inspect' }),
      PAIR,
    );
    expect(await python(POUR, ADDRESSES.sink.v4, '8152', '2', 'forth')).toBeGreaterThan(2_000_000);
  });
});
