import { describe, expect, test } from 'vitest';
import { SYN_PROXY_HOSTS_MAX } from '../limits.ts';
import {
  calmSynsASecond,
  mayTake,
  NO_PROXIES,
  readProxies,
  SYN_PROXY_CALM_MS,
  SYN_PROXY_DRAIN_MS,
  SYN_PROXY_SHUNNED_MS,
  SYN_PROXY_TRIAL_MS,
  type SynProxyDecision,
  type SynProxyState,
  startProxies,
} from './syn-proxy.ts';

const HOST = '203.0.113.25';
const OTHER = '203.0.113.26';
const STEP_MS = 2_000;

/** A story second by second: the kernel's counter goes up by `syns` before each reading. */
class Story {
  state: SynProxyState = NO_PROXIES;
  nowMs = 1_000;
  counter = 0;
  readonly told: string[] = [];

  flood(...hosts: readonly string[]): this {
    return this.#take(startProxies(this.state, hosts, this.nowMs));
  }

  read(syns: number, flooded: readonly string[] = []): this {
    this.nowMs += STEP_MS;
    this.counter += syns;
    const sample = { syns: new Map([[HOST, this.counter]]), flooded: new Set(flooded), calmSynsASecond: 10 };
    return this.#take(readProxies(this.state, sample, this.nowMs));
  }

  #take({ state, decisions }: { state: SynProxyState; decisions: readonly SynProxyDecision[] }): this {
    this.state = state;
    this.told.push(...decisions.map(({ kind, host }) => `${(this.nowMs - 1_000) / 1_000} ${kind} ${host}`));
    return this;
  }
}

describe('a flood', () => {
  test('begins at once, lasts as long as SYNs come, and ends after ten calm seconds and three to come in', () => {
    const story = new Story().flood(HOST);
    for (let reading = 0; reading < 5; reading++) story.flood(HOST).read(40_000);
    for (let reading = 0; reading < 8; reading++) story.read(19);
    expect(story.told).toEqual([`0 on ${HOST}`, `20 drain ${HOST}`, `24 off ${HOST}`]);
    expect(story.state.hosts.size).toBe(0);
  });

  test('at the calm rate exactly it is none yet', () => {
    const story = new Story().flood(HOST);
    for (let reading = 0; reading < 20; reading++) story.read(20);
    expect(story.told).toEqual([`0 on ${HOST}`]);
  });

  test('a server with too many half-open sessions is not calm, whatever the counter says', () => {
    const story = new Story().flood(HOST).read(1_000);
    for (let reading = 0; reading < 10; reading++) story.read(2, [HOST]);
    expect(story.told).toEqual([`0 on ${HOST}`]);
  });

  test('that comes again while the last clients come in goes on, without another beginning to wait for', () => {
    const story = new Story().flood(HOST).read(1_000);
    for (let reading = 0; reading < 5; reading++) story.read(0);
    expect(story.told.at(-1)).toBe(`12 drain ${HOST}`);
    story.flood(HOST).read(1_000).read(1_000);
    expect(story.told.slice(2)).toEqual([`12 on ${HOST}`]);
    expect(story.state.hosts.get(HOST)?.sinceMs).toBe(1_000);
  });

  test('counters that begin anew count from nothing', () => {
    const story = new Story().flood(HOST).read(100_000);
    story.counter = 0;
    for (let reading = 0; reading < 4; reading++) story.read(5);
    expect(story.state.hosts.get(HOST)?.busyMs).toBe(3_000);
  });
});

describe('SYNs that miss the rules', () => {
  test('are translated ones: the server is left alone for ten minutes', () => {
    const story = new Story().flood(HOST).read(0, [HOST]).read(0, [HOST]);
    expect(story.told).toEqual([`0 on ${HOST}`, `4 useless ${HOST}`]);
    expect(SYN_PROXY_TRIAL_MS).toBeLessThan(4_000);
    story.flood(HOST);
    expect(story.told).toHaveLength(2);
    expect(mayTake(story.state, HOST, story.nowMs + SYN_PROXY_SHUNNED_MS - 1)).toBe(false);
    expect(mayTake(story.state, HOST, story.nowMs + SYN_PROXY_SHUNNED_MS)).toBe(true);
    expect(mayTake(story.state, OTHER, story.nowMs)).toBe(true);
  });

  test('but none at all are a flood that has ended', () => {
    const story = new Story().flood(HOST);
    for (let reading = 0; reading < 8; reading++) story.read(0);
    expect(story.told).toEqual([`0 on ${HOST}`, `10 drain ${HOST}`, `14 off ${HOST}`]);
    expect(SYN_PROXY_CALM_MS + SYN_PROXY_DRAIN_MS).toBeLessThan(14_000);
  });

  test('and one that met them says that they work', () => {
    const story = new Story().flood(HOST).read(1);
    for (let reading = 0; reading < 5; reading++) story.read(0, [HOST]);
    expect(story.told).toEqual([`0 on ${HOST}`]);
  });
});

test('no more servers than there is room for', () => {
  const many = Array.from({ length: SYN_PROXY_HOSTS_MAX + 1 }, (_, index) => `198.51.100.${index}`);
  const { state, decisions } = startProxies(NO_PROXIES, many, 0);
  expect(decisions).toHaveLength(SYN_PROXY_HOSTS_MAX);
  expect(mayTake(state, OTHER, 0)).toBe(false);
  expect(mayTake(state, '198.51.100.0', 0)).toBe(true);
});

test('the rate that is calm follows one-minute low, with a floor', () => {
  expect(calmSynsASecond(3_000)).toBe(50);
  expect(calmSynsASecond(400)).toBe(10);
  expect(calmSynsASecond(Number.POSITIVE_INFINITY)).toBe(10);
});
