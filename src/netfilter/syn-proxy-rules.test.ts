import { describe, expect, test } from 'vitest';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { isOwnChain, rulesFor } from './rules.ts';
import { mayProxy, proxiedPorts, synCounts, synProxyText } from './syn-proxy-rules.ts';

const BASE: Configuration = {
  ...EMPTY_CONFIGURATION,
  rules: [{ name: 'M', protocols: [{ protocol: 'pop3' }] }],
  interfaces: [{ name: 'outside0', inspectIn: 'M' }],
  postern: { synProxy: 'aggressive' },
};
const ANY = { address: '0.0.0.0', wildcard: '255.255.255.255' };
const SERVER = { address: '203.0.113.25', answers: true };
const NOTHING = { family: 'ipv4', chain: false, jump: false } as const;
const STANDING = { family: 'ipv4', chain: true, jump: true } as const;
const rulesOf = (configuration: Configuration): string[] =>
  rulesFor({ configuration, firstQueue: 0, workers: 1, hashKey: 1 }).ipv4.split('\n');

describe('the chains among the steering rules', () => {
  test('stand behind the access lists and before what is steered, and first in OUTPUT', () => {
    const configuration: Configuration = {
      ...BASE,
      interfaces: [{ name: 'outside0', inspectIn: 'M', accessGroupIn: 'L' }],
      accessLists: [
        {
          name: 'L',
          kind: 'extended',
          entries: [{ kind: 'rule', action: 'permit', protocol: 'tcp', source: ANY, destination: ANY }],
        },
      ],
    };
    const forward = rulesOf(configuration).filter((line) => line.startsWith('-A POSTERN-FORWARD'));
    const at = (pattern: RegExp): number => forward.findIndex((line) => pattern.test(line));
    expect(at(/POSTERN-ACL-1$/)).toBeGreaterThanOrEqual(0);
    expect(at(/-p tcp -j POSTERN-PROXY$/)).toBeGreaterThan(at(/POSTERN-ACL-1$/));
    expect(at(/--dports .* -j POSTERN-QUEUE$/)).toBeGreaterThan(at(/-j POSTERN-PROXY$/));
    const output = rulesOf(configuration).filter((line) => line.startsWith('-A POSTERN-OUTPUT'));
    expect(output.slice(0, 2)).toEqual([
      '-A POSTERN-OUTPUT -m mark --mark 0x1000000/0x1000000 -j RETURN',
      '-A POSTERN-OUTPUT -p tcp -j POSTERN-PROXIED',
    ]);
    expect(rulesOf(configuration).some((line) => /^-A OUTPUT .*-j POSTERN-OUTPUT$/.test(line))).toBe(true);
  });

  test('are ours, and stand only where they are asked for', () => {
    expect(['POSTERN-PROXY', 'POSTERN-PROXIED'].map(isOwnChain)).toEqual([true, true]);
    for (const without of [
      { ...BASE, postern: {} },
      { ...BASE, interfaces: [] },
    ]) {
      expect(mayProxy(without)).toBe(false);
      expect(rulesOf(without).filter((line) => line.includes('PROX'))).toEqual([]);
    }
  });
});

describe('the rules of a flooded server', () => {
  test('answer for it, queue what has proved itself, and never the answers', () => {
    const pop3 = '-d 203.0.113.25 -p tcp -m multiport --dports 110';
    expect(synProxyText(BASE, [SERVER], NOTHING).split('\n')).toEqual([
      ...['*mangle', ':POSTERN-PROXY - [0:0]', ':POSTERN-PROXIED - [0:0]'],
      `-A POSTERN-PROXY -i outside0 ${pop3} -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --mss 1460`,
      `-A POSTERN-PROXY -i outside0 ${pop3} ! --syn -m conntrack --ctstate NEW -j SYNPROXY --mss 1460`,
      `-A POSTERN-PROXIED ${pop3} --syn -m addrtype ! --src-type LOCAL -j POSTERN-QUEUE`,
      `-A POSTERN-PROXIED ${pop3} -m addrtype ! --src-type LOCAL -j ACCEPT`,
      '-A POSTERN-PROXIED -s 203.0.113.25 -p tcp -m multiport --sports 110 -j ACCEPT',
      ...['COMMIT', '*raw', ':POSTERN-PROXY - [0:0]'],
      `-A POSTERN-PROXY -i outside0 ${pop3} --syn -j CT --notrack`,
      ...['-A PREROUTING -p tcp -j POSTERN-PROXY', 'COMMIT', ''],
    ]);
  });

  test('the jump that stands is not made twice', () => {
    expect(synProxyText(BASE, [SERVER], STANDING)).not.toContain('-A PREROUTING');
  });

  test('while the last ones come in no SYN is kept from conntrack any more', () => {
    const text = synProxyText(BASE, [{ ...SERVER, answers: false }], STANDING);
    expect(text).toContain('-j SYNPROXY');
    expect(text.split('*raw')[1]).toBe(
      '\n-D PREROUTING -p tcp -j POSTERN-PROXY\n-F POSTERN-PROXY\n-X POSTERN-PROXY\nCOMMIT\n',
    );
  });

  test('with none left the raw table is left alone, and the chains are empty', () => {
    expect(synProxyText(BASE, [], NOTHING)).toBe('*mangle\n:POSTERN-PROXY - [0:0]\n:POSTERN-PROXIED - [0:0]\nCOMMIT\n');
  });

  test('each family has its own', () => {
    const servers = [SERVER, { address: '2001:db8::25', answers: true }];
    expect(synProxyText(BASE, servers, NOTHING)).not.toContain('2001:db8');
    const ipv6 = synProxyText(BASE, servers, { ...NOTHING, family: 'ipv6' });
    expect(ipv6).not.toContain('203.0.113');
    expect(ipv6).toContain('-d 2001:db8::25 -p tcp -m multiport --dports 110 --syn -j CT --notrack');
    expect(ipv6).toContain('--mss 1440');
  });

  test.each([
    ['out', { name: 'inside0', inspectOut: 'M' }, '-A POSTERN-PROXY -o inside0 -d', '-A POSTERN-PROXY -d'],
    ['any', { name: 'any', inspectIn: 'M' }, '-A POSTERN-PROXY -d', '-A POSTERN-PROXY -d'],
  ])('%s: where the packet goes to is not known in the raw table', (_what, entry, mangle, raw) => {
    const text = synProxyText({ ...BASE, interfaces: [entry] }, [SERVER], NOTHING);
    const [before = '', behind = ''] = text.split('*raw');
    expect(before).toContain(mangle);
    expect(behind).toContain(raw);
    expect(behind).not.toContain(' -o ');
  });

  test('generic inspection is of every port', () => {
    const generic: Configuration = { ...BASE, rules: [{ name: 'M', protocols: [{ protocol: 'tcp' }] }] };
    const text = synProxyText(generic, [SERVER], NOTHING);
    expect(text).toContain('-A POSTERN-PROXY -i outside0 -d 203.0.113.25 -p tcp --syn -j CT --notrack');
    expect(text).not.toContain('multiport');
    expect(proxiedPorts(generic)).toBe('all');
    expect(proxiedPorts(BASE)).toBe('110');
    const datagrams: Configuration = { ...BASE, rules: [{ name: 'M', protocols: [{ protocol: 'udp' }] }] };
    expect(mayProxy(datagrams)).toBe(false);
  });
});

test('SYNs are counted by server, over its rules and in both spellings', () => {
  const syn = '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j CT --notrack';
  const saved = [
    ...['*raw', ':PREROUTING ACCEPT [9:9]', '[9:540] -A PREROUTING -p tcp -j POSTERN-PROXY'],
    `[5:300] -A POSTERN-PROXY -d 203.0.113.25/32 -i outside0 -p tcp -m multiport --dports 25,110 ${syn.slice(7)}`,
    `[2:120] -A POSTERN-PROXY -d 203.0.113.25/32 -i outside1 ${syn}`,
    `[7:420] -A POSTERN-PROXY -d 2001:db8::25/128 ${syn}`,
    `[8:480] -A OTHER -d 203.0.113.25/32 ${syn}`,
    'COMMIT',
  ].join('\n');
  expect([...synCounts(saved)]).toEqual([
    ['203.0.113.25', 7],
    ['2001:db8::25', 7],
  ]);
});
