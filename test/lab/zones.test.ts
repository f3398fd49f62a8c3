import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cross } from './crossing.ts';
import { ADDRESSES } from './lab.ts';
import { POSTERN } from './postern.ts';
import { until } from './process.ts';
import { type Ask, BOTH_ZONES, configuration, createZoneLab, PAIR, policy, type ZoneLab } from './zone-lab.ts';

/** Zones at work (cisco-ios 1.9, 1.10). What counts is what arrives at the other end. */

describe('zones', () => {
  let zones: ZoneLab;
  beforeAll(async () => {
    zones = await createZoneLab();
  });
  afterAll(async () => {
    await zones?.close();
  });

  const load: ZoneLab['load'] = (...parts) => zones.load(...parts);
  const inward = (ask: Ask) => zones.inward(ask);
  const outward = (ask: Ask) => zones.outward(ask);
  const toRouter = (ask: Ask) => zones.toRouter(ask);
  const fromRouter = (ask: Ask) => zones.fromRouter(ask);

  describe('the matrix', () => {
    it('no zone to no zone passes', async () => {
      await load();
      expect(await inward({ kind: 'tcp', port: 8_001 })).toBe('answered');
    });

    it('a zone to an interface in none is dropped, both ways', async () => {
      await load(['interface outside0', ' zone-member security outside']);
      expect(await inward({ kind: 'udp', port: 8_002 })).toBe('silence');
      expect(await outward({ kind: 'udp', port: 8_003 })).toBe('silence');
      expect(await toRouter({ kind: 'tcp', port: 8_004 })).toBe('answered');
    });

    it('zone to zone without a pair is dropped, also when a pair has no policy; the router is not concerned', async () => {
      await load(BOTH_ZONES, PAIR.slice(0, 1));
      for (const kind of ['tcp', 'udp', 'icmp'] as const) {
        expect(await inward({ kind, port: 8_005 }), kind).toBe('silence');
        expect(await toRouter({ kind, port: 8_006 }), kind).toBe('answered');
        expect(await fromRouter({ kind, port: 8_007 }), kind).toBe('answered');
      }
      expect(await inward({ to: ADDRESSES.sink.v6, kind: 'tcp', port: 8_008 })).toBe('silence');
    });

    it('inside of a zone all passes', async () => {
      await load(BOTH_ZONES.map((line) => line.replace('security dmz', 'security outside')));
      expect(await inward({ kind: 'tcp', port: 8_009 })).toBe('answered');
      expect(await outward({ kind: 'udp', port: 8_010 })).toBe('answered');
    });
  });

  describe('pass and drop', () => {
    it('pass has no session: the way back needs a pair of its own', async () => {
      await load(BOTH_ZONES, policy('P', { UDP: 'pass', 'class-default': 'drop' }), PAIR);
      expect(await inward({ kind: 'udp', port: 8_020 })).toBe('silence');
      await load(BOTH_ZONES, policy('P', { UDP: 'pass', 'class-default': 'drop' }), PAIR, [
        'zone-pair security DMZ-OUT source dmz destination outside',
        ' service-policy type inspect P',
      ]);
      expect(await inward({ kind: 'udp', port: 8_021 })).toBe('answered');
      expect(await inward({ kind: 'udp', port: 8_022, to: ADDRESSES.sink.v6 })).toBe('answered');
      expect(await inward({ kind: 'tcp', port: 8_023 })).toBe('silence');
    });

    const both = [
      ...PAIR,
      'zone-pair security BACK source dmz destination outside',
      ' service-policy type inspect BACK',
    ];
    const back = policy('BACK', { 'class-default': 'pass' });

    it('the first class that fits decides', async () => {
      await load(BOTH_ZONES, policy('P', { HTTP: 'drop', TCP: 'pass' }), back, both);
      expect(await inward({ kind: 'tcp', port: 80 })).toBe('silence');
      expect(await inward({ kind: 'tcp', port: 8_030 })).toBe('answered');
      await load(BOTH_ZONES, policy('P', { TCP: 'pass', HTTP: 'drop' }), back, both);
      expect(await inward({ kind: 'tcp', port: 80 })).toBe('answered');
    });

    it('classes of lists and of other classes', async () => {
      await load(BOTH_ZONES, policy('P', { NESTED: 'pass' }), back, both);
      expect(await inward({ kind: 'tcp', port: 80 })).toBe('answered');
      expect(await inward({ kind: 'icmp' })).toBe('answered');
      expect(await inward({ kind: 'tcp', port: 8_031 })).toBe('silence');
      expect(await inward({ kind: 'icmp', to: ADDRESSES.exim.v4 })).toBe('silence');
      expect(await inward({ kind: 'tcp', port: 80, to: ADDRESSES.sink.v6 })).toBe('silence');
    });

    it('a list that takes something out leaves it to the next class', async () => {
      await load(BOTH_ZONES, policy('P', { HOLED: 'pass', 'class-default': 'drop' }), back, both);
      expect(await inward({ kind: 'tcp', port: 8_071 })).toBe('answered');
      expect(await inward({ kind: 'tcp', port: 8_070 })).toBe('silence');
      await load(BOTH_ZONES, policy('P', { HOLED: 'drop', TCP: 'pass' }), back, both);
      expect(await inward({ kind: 'tcp', port: 8_071 })).toBe('silence');
      expect(await inward({ kind: 'tcp', port: 8_070 })).toBe('answered');
    });

    it('self: only the direction of the pair is filtered (C27)', async () => {
      await load(BOTH_ZONES, policy('TO-SELF', { ICMP: 'pass', 'class-default': 'drop log' }), [
        'zone-pair security OUT-SELF source outside destination self',
        ' service-policy type inspect TO-SELF',
      ]);
      expect(await toRouter({ kind: 'icmp' })).toBe('answered');
      expect(await toRouter({ kind: 'tcp', port: 8_040 })).toBe('silence');
      expect(await toRouter({ kind: 'tcp', port: 8_041, to: ADDRESSES.routerOutside.v6 })).toBe('silence');
      const inside = { to: ADDRESSES.routerInside.v4, kind: 'tcp', port: 8_042 } as const;
      expect(await cross(zones.lab.server, zones.lab.router, inside)).toBe('answered');
    });

    it('default: the interfaces in no zone, when a pair names them', async () => {
      await load(['interface inside0', ' zone-member security dmz'], policy('P', { UDP: 'pass' }), [
        'zone-pair security ANY-DMZ source default destination dmz',
        ' service-policy type inspect P',
        'zone-pair security DMZ-ANY source dmz destination default',
        ' service-policy type inspect P',
      ]);
      expect(await inward({ kind: 'udp', port: 8_050 })).toBe('answered');
      expect(await inward({ kind: 'tcp', port: 8_051 })).toBe('silence');
    });
  });

  describe('the log', () => {
    it('drop log tells the packet, its pair and its class, of every transport and family', async () => {
      await load(BOTH_ZONES, policy('P', { HTTP: 'drop', 'class-default': 'drop log' }), PAIR);
      expect(await inward({ kind: 'tcp', port: 80 })).toBe('silence');
      expect(await inward({ kind: 'tcp', port: 8_060, from: 42_060 })).toBe('silence');
      expect(await inward({ kind: 'udp', port: 8_061, to: ADDRESSES.sink.v6 })).toBe('silence');
      expect(await inward({ kind: 'icmp' })).toBe('silence');
      const place =
        'on zone-pair OUT-DMZ class class-default due to {2}DROP action found in policy-map with ip ident \\d+';
      const { client, sink } = ADDRESSES;
      const tcp = `Dropping tcp session ${client.v4}:42060 ${sink.v4}:8060 ${place} tcpflags 0x2 seq.no [1-9]\\d* ack 0`;
      await zones.postern.waitForLog(new RegExp(tcp), 3_000);
      await zones.postern.waitForLog(new RegExp(`Dropping udp session \\S+ \\S*8061 ${place}`), 3_000);
      await zones.postern.waitForLog(
        new RegExp(`Dropping icmp session ${client.v4}:\\d+ ${sink.v4}:8 ${place}`),
        3_000,
      );
      expect(zones.postern.output()).not.toMatch(/Dropping tcp session \S+ \S+:80 /);
    });

    it('pass log tells it too, and it arrives', async () => {
      await load(BOTH_ZONES, policy('P', { 'class-default': 'pass log' }), PAIR, [
        'zone-pair security BACK source dmz destination outside',
        ' service-policy type inspect P',
      ]);
      expect(await inward({ kind: 'udp', port: 8_062, from: 42_062 })).toBe('answered');
      const line = `\\(target:class\\)-\\(OUT-DMZ:class-default\\) Passing udp pkt ${ADDRESSES.client.v4}:42062 => ${ADDRESSES.sink.v4}:8062`;
      await zones.postern.waitForLog(new RegExp(line), 3_000);
      expect(await inward({ kind: 'tcp', port: 8_063 })).toBe('answered');
    });

    it('malformed packets are dropped like any other, and hurt nobody', async () => {
      await load(BOTH_ZONES, policy('P', { 'class-default': 'drop log' }), PAIR);
      const send = `
import os, random, socket, struct
random.seed(1)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
ends = socket.inet_aton('${ADDRESSES.client.v4}') + socket.inet_aton('${ADDRESSES.sink.v4}')
for n in range(150):
    protocol = random.choice([1, 6, 6, 17, 47, 50, 132, 255, 0])
    body = os.urandom(random.choice([0, 1, 3, 7, 8, 13, 19, 20, 21, 60]))
    head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(body), 9, 0, 64, protocol, 0)
    raw.sendto(head + ends + body, ('${ADDRESSES.sink.v4}', 0))
six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
for n in range(50):
    body = os.urandom(random.choice([0, 1, 3, 8, 20, 40]))
    head = struct.pack('!IHBB', 6 << 28, len(body), random.choice([0, 6, 17, 43, 44, 58, 59, 60]), 64)
    address = [socket.inet_pton(socket.AF_INET6, a) for a in ('${ADDRESSES.client.v6}', '${ADDRESSES.sink.v6}')]
    try: six.sendto(head + b''.join(address) + body, ('${ADDRESSES.sink.v6}', 0))
    except OSError: pass`;
      const before = zones.told('DROP_PKT').length;
      await zones.lab.client.must(['python3', '-c', send]);
      await until('what is told', async () => zones.told('DROP_PKT').length > before + 5, 5_000);
      expect(zones.told('DROP_PKT').some(({ msg }) => msg.includes('Dropping Unknown-l4 session'))).toBe(true);
      expect((await zones.postern.statistics()).packets.kernelDropped).toBe(0);
    });

    it('a flood of what is dropped is told in part, dropped whole, and counted whole', async () => {
      await load(BOTH_ZONES, policy('P', { 'class-default': 'drop log' }), PAIR);
      const counts = () => zones.lab.router.must(['iptables-save', '-c', '-t', 'mangle']);
      const dropped = async () =>
        Number(/\[(\d+):\d+\] -A POSTERN-ZONE-\d+ .*"zone OUT-DMZ class-default drop"/.exec(await counts())?.[1]);
      const before = await dropped();
      const send = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(2000): s.sendto(b'x', ('${ADDRESSES.sink.v4}', 8064))`;
      await zones.lab.server.must(['iptables', '-w', '-t', 'raw', '-A', 'PREROUTING', '-p', 'udp', '--dport', '8064']);
      await zones.lab.client.must(['python3', '-c', send]);
      expect(await dropped()).toBe(before + 2_000);
      const arrived = await zones.lab.server.must(['iptables', '-w', '-t', 'raw', '-nvxL', 'PREROUTING']);
      expect(/^ *(\d+) .*dpt:8064/m.exec(arrived)?.[1]).toBe('0');
    });
  });

  it('the rules go with the daemon', async () => {
    await load(BOTH_ZONES, policy('P', { 'class-default': 'drop log' }), PAIR);
    expect(await zones.lab.router.must(['iptables-save', '-t', 'mangle'])).toContain('POSTERN-ZONE-1');
    expect(await zones.postern.stop()).toBe(0);
    for (const program of ['iptables-save', 'ip6tables-save']) {
      expect(await zones.lab.router.must([program])).not.toMatch(/POSTERN|NFQUEUE/);
    }
    expect(await inward({ kind: 'tcp', port: 8_090 })).toBe('answered');
  });

  it('without a daemon, and failing open, what is dropped stays dropped', async () => {
    const { router } = zones.lab;
    const file = join(zones.lab.folder, 'open.conf');
    const passes = policy('P', { UDP: 'pass log', 'class-default': 'drop log' });
    const back = ['zone-pair security BACK source dmz destination outside', ' service-policy type inspect P'];
    writeFileSync(file, configuration(['postern fail open'], BOTH_ZONES, passes, PAIR, back));
    await router.must([POSTERN, 'rules', 'install', '--config', file]);
    expect(await inward({ kind: 'tcp', port: 8_091 })).toBe('silence');
    expect(await inward({ kind: 'udp', port: 8_092 })).toBe('answered');
    // As a queue that is full and fails open would let it go.
    const overflow = ['PREROUTING', '-p', 'udp', '--dport', '8093', '-j', 'MARK', '--set-mark', '0x19000000'];
    const none = ['-p', 'udp', '--dport', '8093', '-j', 'ACCEPT'];
    await router.must(['iptables', '-w', '-t', 'mangle', '-A', ...overflow]);
    await router.must(['iptables', '-w', '-t', 'mangle', '-I', 'FORWARD', ...none]);
    expect(await inward({ kind: 'udp', port: 8_093 })).toBe('silence');
    await router.must([POSTERN, 'rules', 'remove']);
    expect(await inward({ kind: 'udp', port: 8_093 })).toBe('answered');
  });
});
