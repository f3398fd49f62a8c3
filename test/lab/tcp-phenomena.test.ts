import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Case, CaseSegment } from './attacks/cases.ts';
import { type Sunk, sinkCases } from './attacks/sink.ts';
import { openStage, type Stage } from './attacks/stage.ts';
import { ADDRESSES } from './lab.ts';
import { PERMISSIVE } from './postern.ts';

/**
 * What TCP lets a client do that two receivers may read differently, before a Linux receiver (docs/tcp.md): its socket
 * gets what was judged. The raw client repeats nothing by itself.
 */

/** Dies on the hop that the lab puts between Postern and the server: a packet needs a TTL of three there. */
const DIES_BEHIND = 2;
const HOP = ['-p', 'tcp', '--dport', '25', '-m', 'ttl', '--ttl-lt', '2', '-j', 'DROP'];

interface Story {
  readonly name: string;
  readonly segments: readonly CaseSegment[];
  readonly heard: string;
  readonly contradicts?: boolean;
}

const STORIES: readonly Story[] = [
  {
    name: 'a low TTL carries octets to Postern only: those that come in their place are the same',
    segments: [
      { off: 0, bytes: 'NOOP\r\n', ttl: DIES_BEHIND },
      { off: 0, bytes: 'VRFY\r\n' },
    ],
    heard: 'NOOP\r\n',
    contradicts: true,
  },
  {
    name: 'a low TTL, sent again as it was',
    segments: [
      { off: 0, bytes: 'NOOP\r\n', ttl: DIES_BEHIND },
      { off: 0, bytes: 'NOOP\r\n' },
    ],
    heard: 'NOOP\r\n',
  },
  {
    name: 'a FIN with a low TTL ends the stream for both',
    segments: [
      { off: 0, bytes: 'NOOP\r\n', fl: 'FPA', ttl: DIES_BEHIND },
      { off: 6, bytes: 'VRFY\r\n' },
      { off: 0, bytes: 'NOOP\r\n', fl: 'FPA' },
    ],
    heard: 'NOOP\r\n',
  },
  {
    name: 'an empty segment whose urgent pointer names an octet of the next',
    segments: [
      { off: 0, bytes: '', fl: 'AU', urg: 7 },
      { off: 0, bytes: 'NOOP axb\r\n' },
    ],
    heard: 'NOOP axb\r\n',
  },
  {
    name: 'an urgent pointer into a segment that comes later',
    segments: [
      { off: 0, bytes: 'NOOP\r\n', fl: 'PAU', urg: 13 },
      { off: 6, bytes: 'NOOP axb\r\n' },
    ],
    heard: 'NOOP\r\nNOOP axb\r\n',
  },
  {
    name: 'an urgent pointer on a segment that comes early',
    segments: [
      { off: 6, bytes: 'NOOP axb\r\n', fl: 'PAU', urg: 7 },
      { off: 0, bytes: 'NOOP\r\n' },
    ],
    heard: 'NOOP\r\nNOOP axb\r\n',
  },
  {
    name: 'octets in order over an early chunk',
    segments: [
      { off: 6, bytes: 'RSET\r\n' },
      { off: 0, bytes: 'NOOP\r\nHELP\r\n' },
    ],
    heard: 'NOOP\r\nRSET\r\n',
    contradicts: true,
  },
  {
    name: 'octets behind an early FIN',
    segments: [
      { off: 6, bytes: 'RSET\r\n', fl: 'FPA' },
      { off: 9, bytes: 'T\r\nVRFY\r\n' },
      { off: 0, bytes: 'NOOP\r\n' },
    ],
    heard: 'NOOP\r\nRSET\r\n',
  },
  {
    name: 'an early FIN that octets in order overtake',
    segments: [
      { off: 6, bytes: '', fl: 'FA' },
      { off: 0, bytes: 'NOOP\r\nRSET\r\n' },
      { off: 12, bytes: 'HELP\r\n' },
    ],
    heard: 'NOOP\r\nRSET\r\nHELP\r\n',
  },
  {
    name: 'keepalives with an octet, its own and another',
    segments: [
      { off: 0, bytes: 'NOOP\r\n' },
      { off: 5, bytes: '\n', fl: 'A' },
      { off: 5, bytes: 'X', fl: 'A' },
      { off: 6, bytes: 'RSET\r\n' },
    ],
    heard: 'NOOP\r\nRSET\r\n',
  },
  {
    name: 'a bad checksum',
    segments: [
      { off: 0, bytes: 'VRFY\r\n', csum: 'bad' },
      { off: 0, bytes: 'NOOP\r\n' },
    ],
    heard: 'NOOP\r\n',
  },
  {
    name: 'an old timestamp on the first octets',
    segments: [
      { off: 0, bytes: 'VRFY\r\n', ts: -50_000 },
      { off: 0, bytes: 'NOOP\r\n' },
    ],
    heard: 'NOOP\r\n',
  },
];

const isTold = (sunk: Sunk) => sunk.told.some((line) => line.includes('contradicts octets'));

describe('TCP that may be read in two ways', () => {
  let stage: Stage;
  let sunk: Sunk[] = [];
  beforeAll(async () => {
    stage = await openStage(PERMISSIVE);
    const { server } = stage.world.lab;
    await server.must(['iptables', '-w', '-t', 'raw', '-A', 'PREROUTING', '-d', ADDRESSES.sink.v4, ...HOP]);
    const cases = STORIES.map(
      ({ name, segments }): Case => ({ id: name, name, protocol: 'tcp', expect: 'N', segments }),
    );
    sunk = await sinkCases(stage, cases);
  });
  afterAll(async () => {
    await stage?.close();
  });

  it.each(STORIES)('$name', ({ name, heard, contradicts = false }) => {
    const mine = sunk.find(({ of }) => of.id === name);
    expect(mine?.heard).toBe(heard);
    expect(mine?.ambiguous).toEqual([]);
    const judged = mine?.judged.filter(({ side, what }) => side === 'initiator' && what === 'line') ?? [];
    expect(judged).toHaveLength(heard.split('\n').length - 1);
    if (contradicts) expect(mine && isTold(mine)).toBe(true);
  });

  it('is told once a session, and only where octets contradict each other', () => {
    for (const { told } of sunk)
      expect(told.filter((line) => line.includes('contradicts octets')).length).toBeLessThan(2);
    const honest = sunk.find(({ of }) => of.id === 'a low TTL, sent again as it was');
    expect(honest && isTold(honest)).toBe(false);
  });
});
