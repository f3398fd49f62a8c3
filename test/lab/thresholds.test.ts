import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BlockedHost } from '../../src/firewall/snapshot.ts';
import { exchange, type Step, talk } from './dialogue.ts';
import { floodResult, routeFlood, startFlood, synReceived } from './flood.ts';
import { ADDRESSES } from './lab.ts';
import { configurationOf, type LogLine } from './postern.ts';
import { until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * The thresholds with numbers small enough to be counted: what the log says, what the server's kernel holds, and what
 * happens to clients that mean well.
 */

const SYNS_A_SECOND = 100;
const QUIET = [
  ...['postern queue count 1', 'ip inspect one-minute high 100000', 'ip inspect one-minute low 90000'],
  'ip inspect tcp synwait-time 5',
];
const TWENTY = ['ip inspect max-incomplete high 20', 'ip inspect max-incomplete low 10'];
const PROTOCOLS = ['esmtp', 'pop3', 'imap'];

let world: World;
let told = 0;
beforeAll(makeWorld);
afterAll(async () => {
  await world?.close();
});
beforeEach(() => {
  told = posternOf(world).log().length;
});

async function makeWorld(): Promise<void> {
  world = await createWorld({ configuration: configurationOf(PROTOCOLS, QUIET) });
  await routeFlood(world.lab);
  // One address of the server answers nothing: its connections stay half-open for as long as they may.
  const silent = ['-d', ADDRESSES.sink.v4, '-p', 'tcp', '--syn', '-j', 'DROP'];
  await world.lab.server.must(['iptables', '-w', '-A', 'INPUT', ...silent]);
}

/** What was told since the test began, of the kinds that thresholds tell. */
function alerts(): string[] {
  const ours = ({ mnemonic }: LogLine): boolean => /ALERT_O|BLOCK_HOST/.test(mnemonic ?? '');
  return posternOf(world)
    .log()
    .slice(told)
    .filter(ours)
    .map(({ mnemonic, msg }) => `${mnemonic}: ${msg}`);
}

async function configure(...lines: readonly string[]): Promise<void> {
  const postern = posternOf(world);
  const reloads = () => postern.log().filter(({ mnemonic }) => mnemonic === 'CONFIG_RELOADED').length;
  const before = reloads();
  postern.reload(configurationOf(PROTOCOLS, [...QUIET, ...lines]));
  await until('the reload', async () => reloads() > before, 10_000);
}

async function flood(count: number, host: string = ADDRESSES.server.v4, seed = 1): Promise<void> {
  const running = startFlood(world.lab.client, { synsASecond: SYNS_A_SECOND, seconds: 10, count, host, seed });
  await running.exited;
  expect(floodResult(running.output()).sent).toBe(count);
}

async function smtpSession(connectTimeoutMs = 5_000): Promise<string> {
  const steps = [{ expect: '^220 ' }, ...exchange(['HELO honest.example', '^250 '], ['QUIT', '^221 '])];
  const script = { host: world.lab.target.v4, port: 25, connectTimeoutMs, steps };
  const { end, stoppedAt } = await talk(world.lab.client, script);
  return stoppedAt === undefined ? 'complete' : end;
}

/** A POP3 session that is established now and asks again when the flood has been at work. */
async function startPop3(lastsMs: number): Promise<{ readonly outcome: Promise<string> }> {
  const steps: readonly Step[] = [
    { expect: '^\\+OK' },
    ...exchange(['CAPA', '^\\.\\r\\n']),
    { sleepMs: lastsMs },
    ...exchange(['CAPA', '^\\.\\r\\n'], ['QUIT', '^\\+OK']),
    { waitForEnd: true },
  ];
  const session = talk(world.lab.client, { host: world.lab.target.v4, port: 110, steps });
  const isOpen = async () => (await posternOf(world).sessions()).some(({ state }) => state === 'SIS_OPEN');
  await until('the session to be established', isOpen, 10_000);
  return {
    outcome: session.then(({ stoppedAt }) => (stoppedAt === undefined ? 'complete' : `stopped at ${stoppedAt}`)),
  };
}

const halfOpen = async () => (await posternOf(world).sessions()).filter(({ state }) => state === 'SIS_OPENING');

describe('max-incomplete', () => {
  it('one below its high is nothing to tell', async () => {
    await configure(...TWENTY);
    await flood(20);
    expect((await posternOf(world).statistics()).sessions.halfOpen).toBe(20);
    expect(await synReceived(world.lab.server)).toBe(20);
    expect((await posternOf(world).statistics()).aggressive).toBe(false);
    await until('synwait to end them', async () => (await halfOpen()).length === 0, 15_000);
    await until('the server to be rid of them', async () => (await synReceived(world.lab.server)) === 0, 5_000);
    expect(alerts()).toEqual([]);
  });

  it('above it the oldest makes room, for the server too, and nobody else is hurt', async () => {
    await configure(...TWENTY);
    const pop3 = await startPop3(3_000);
    await flood(30, ADDRESSES.server.v4, 2);
    const { aggressive, sessions } = await posternOf(world).statistics();
    expect([aggressive, sessions.maxHalfOpen]).toEqual([true, 21]);
    expect(await synReceived(world.lab.server)).toBeLessThanOrEqual(21);
    expect(await synReceived(world.lab.server)).toBeGreaterThanOrEqual(15);
    expect(await smtpSession()).toBe('complete');
    const [first] = await halfOpen();
    expect(first).toMatchObject({ protocol: 'smtp', stage: 'syn-ack', responder: { port: 25 } });
    const before = (await halfOpen()).length;
    expect((await posternOf(world).exec('clear', 'ip', 'inspect', 'session', first?.id ?? '')).code).toBe(0);
    expect(await halfOpen()).toHaveLength(before - 1);
    expect(await pop3.outcome).toBe('complete');
    await posternOf(world).waitForLog(/calming down/, 15_000);
    const [on, off, ...more] = alerts();
    expect(on).toMatch(/^ALERT_ON: getting aggressive, count \(21\/20\) current 1-min rate: \d+$/);
    expect(off).toMatch(/^ALERT_OFF: calming down, count \(\d\/10\) current 1-min rate: \d+$/);
    expect(more).toEqual([]);
    await until('the server to be rid of them', async () => (await synReceived(world.lab.server)) === 0, 10_000);
    expect((await posternOf(world).statistics()).packets.kernelDropped).toBe(0);
  });
});

describe('tcp max-incomplete host', () => {
  const host = ADDRESSES.server.v4;
  const blocked = async (): Promise<readonly BlockedHost[]> => {
    const { stdout } = await posternOf(world).exec('show', 'ip', 'inspect', 'blocked-hosts', '--json');
    return JSON.parse(stdout) as readonly BlockedHost[];
  };

  it('block-time 0: as many as it says, and everybody may come in', async () => {
    await configure('ip inspect tcp max-incomplete host 5');
    await flood(12, host, 3);
    expect(await halfOpen()).toHaveLength(5);
    expect(await synReceived(world.lab.server)).toBeLessThanOrEqual(6);
    expect(await smtpSession()).toBe('complete');
    expect(alerts()).toEqual([`HOST_TCP_ALERT_ON: Max tcp half-open connections (5) exceeded for host ${host}.`]);
    expect(await blocked()).toEqual([]);
    await until('synwait to end them', async () => (await halfOpen()).length === 0, 15_000);
  });

  it('block-time 1: nobody comes in until the block is cleared', async () => {
    await configure('ip inspect tcp max-incomplete host 5 block-time 1');
    const pop3 = await startPop3(3_000);
    await flood(12, host, 4);
    expect(await halfOpen()).toEqual([]);
    expect(await synReceived(world.lab.server)).toBe(0);
    const [entry, ...others] = await blocked();
    expect([entry?.address, others]).toEqual([host, []]);
    expect(entry?.remainingSeconds).toBeGreaterThan(50);
    expect(entry?.remainingSeconds).toBeLessThanOrEqual(60);
    expect(await smtpSession(1_500)).not.toBe('complete');
    expect((await posternOf(world).statistics()).refusals['host-blocked']).toBeGreaterThan(0);
    expect(await pop3.outcome).toBe('complete');
    expect((await posternOf(world).exec('clear', 'ip', 'inspect', 'blocked-hosts', host)).code).toBe(0);
    expect(await smtpSession()).toBe('complete');
    // The host was told about a moment ago, in the test before: that episode is not over.
    expect(alerts()).toEqual([
      `BLOCK_HOST: Blocking new TCP connections to host ${host} for 1 minute (half-open count 5 exceeded)`,
      `UNBLOCK_HOST: New TCP connections to host ${host} no longer blocked`,
    ]);
    expect((await posternOf(world).exec('clear', 'ip', 'inspect', 'blocked-hosts', host)).code).toBe(1);
  });
});

describe('as many sessions as may be', () => {
  it.each(['ip inspect sessions maximum 2', 'ip inspect name LAB parameter max-sessions 2'])('%s', async (line) => {
    await configure(line);
    const two = [await startPop3(3_000), await startPop3(3_000)];
    await until('both', async () => (await posternOf(world).statistics()).sessions.established === 2, 5_000);
    const refused = (await posternOf(world).statistics()).refusals['session-limit'] ?? 0;
    expect(await smtpSession()).not.toBe('complete');
    expect((await posternOf(world).statistics()).refusals['session-limit']).toBe(refused + 1);
    expect(await Promise.all(two.map(({ outcome }) => outcome))).toEqual(['complete', 'complete']);
    await until('them to end', async () => (await posternOf(world).sessions()).length === 0, 15_000);
    expect(await smtpSession()).toBe('complete');
  });
});

it('the whole story in its order, with its numbers', { timeout: 150_000 }, async () => {
  // Attempts of the tests before would count in the rate.
  await world.close();
  await makeWorld();
  told = 0;
  const victim = ADDRESSES.exim.v4;
  await configure(
    ...TWENTY,
    // The rate of some thirty attempts stays above this low for a little more than a minute: the calm comes last.
    ...['ip inspect one-minute low 10', 'ip inspect tcp max-incomplete host 16 block-time 1'],
  );
  await world.lab.server.must(['iptables', '-w', '-A', 'INPUT', '-d', victim, '-p', 'tcp', '--syn', '-j', 'DROP']);
  await flood(15, ADDRESSES.sink.v4, 5);
  expect(alerts()).toEqual([]);
  await flood(25, victim, 6);
  await posternOf(world).waitForLog(/calming down, count \(\d+\/10\) current 1-min rate: 9\b/, 120_000);
  expect(alerts()).toEqual([
    expect.stringMatching(/^ALERT_ON: getting aggressive, count \(21\/20\) current 1-min rate: \d+$/),
    `HOST_TCP_ALERT_ON: Max tcp half-open connections (16) exceeded for host ${victim}.`,
    `BLOCK_HOST: Blocking new TCP connections to host ${victim} for 1 minute (half-open count 16 exceeded)`,
    `UNBLOCK_HOST: New TCP connections to host ${victim} no longer blocked`,
    expect.stringMatching(/^ALERT_OFF: calming down, count \(0\/10\) current 1-min rate: 9$/),
  ]);
});
