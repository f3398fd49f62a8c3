import { afterEach, describe, expect, test, vi } from 'vitest';
import { formatLogMessage, iosLine } from '../log/format.ts';
import type { LogMessage } from '../log/log-message.ts';
import type { RunCommand } from '../netfilter/run-command.ts';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { SynProxy } from './syn-proxy.ts';

const HOST = '203.0.113.25';
const OWN = '203.0.113.1';
const CONFIGURATION: Configuration = {
  ...EMPTY_CONFIGURATION,
  rules: [{ name: 'M', protocols: [{ protocol: 'pop3' }] }],
  interfaces: [{ name: 'outside0', inspectIn: 'M' }],
  postern: { synProxy: 'aggressive' },
};

/** A kernel that keeps the raw table as it was loaded last, and counts SYNs as it is told. */
function kernel() {
  const state = { raw: [] as string[], syns: 0, refusal: '', loads: [] as string[], reads: 0 };
  const run: RunCommand = async (program, args, input = '') => {
    if (program.endsWith('-restore')) {
      if (state.refusal !== '' && input.includes('SYNPROXY')) return { code: 2, stdout: '', stderr: state.refusal };
      state.loads.push(input);
      if (input.includes('*raw')) state.raw = input.split('*raw')[1]?.split('\n') ?? [];
      return { code: 0, stdout: '', stderr: '' };
    }
    const rules = state.raw.filter((line) => line.startsWith('-A POSTERN-PROXY'));
    const counted = rules.map((line) => `[${state.syns}:0] ${line}`);
    const stands = rules.length > 0 ? ['-N POSTERN-PROXY', '-A PREROUTING -p tcp -j POSTERN-PROXY'] : [];
    if (args.includes('--counters')) state.reads += 1;
    const lines = args.includes('--counters') ? counted : stands;
    return { code: 0, stdout: lines.join('\n'), stderr: '' };
  };
  return { state, run };
}

async function stand(configuration: Configuration = CONFIGURATION) {
  const { state, run } = kernel();
  const messages: LogMessage[] = [];
  let nowMs = 0;
  const proxy = new SynProxy(
    {
      logger: { log: (message) => void messages.push(message), tick: () => undefined, close: () => undefined },
      rules: { run, ipv6: false },
      now: () => nowMs,
      ownAddresses: () => [OWN],
    },
    configuration,
  );
  await proxy.installed(configuration);
  return {
    ...{ proxy, state },
    lines: () => messages.map((message) => iosLine(formatLogMessage(message))),
    async flood(...hosts: readonly string[]) {
      proxy.flooded(hosts);
      await proxy.settled();
    },
    async readAfter(ms: number, syns: number) {
      nowMs += ms;
      state.syns += syns;
      await proxy.read();
      await proxy.settled();
    },
  };
}

afterEach(() => {
  vi.useRealTimers();
});

const ON = `%POSTERN-5-SYN_PROXY_ON: The kernel answers new connections to host ${HOST} (ports 110)`;

describe('a flooded server', () => {
  test('is answered for from the first report until it was calm long enough', async () => {
    const { proxy, state, lines, flood, readAfter } = await stand();
    expect(proxy.takes(HOST)).toBe(true);
    await flood(HOST);
    await flood(HOST);
    expect(proxy.hosts()).toEqual([HOST]);
    expect(lines()).toEqual([ON]);
    expect(state.raw.filter((line) => line.includes('--notrack'))).toHaveLength(1);
    await readAfter(2_000, 40_000);
    await readAfter(2_000, 40_000);
    expect(lines()).toEqual([ON]);
    await readAfter(10_000, 5);
    expect(state.raw.filter((line) => line.includes('--notrack'))).toHaveLength(0);
    expect(state.loads.at(-1)).toContain('SYNPROXY');
    expect(proxy.hosts()).toEqual([HOST]);
    await readAfter(3_000, 0);
    expect(state.loads.at(-1)).not.toContain('SYNPROXY');
    expect(proxy.hosts()).toEqual([]);
    expect(lines().slice(1)).toEqual([
      `%POSTERN-5-SYN_PROXY_OFF: Host ${HOST} answers for itself again (ports 110) after 17 seconds`,
    ]);
    await proxy.stop();
  });

  test('its counters are read by a clock of its own', async () => {
    vi.useFakeTimers();
    const { proxy, flood, state } = await stand();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(state.reads).toBe(0);
    await flood(HOST);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state.reads).toBe(5);
    await proxy.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state.reads).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('goes on being answered for when the steering rules are loaded anew', async () => {
    const { proxy, state, flood } = await stand();
    await flood(HOST);
    const loads = state.loads.length;
    await proxy.installed(CONFIGURATION);
    expect(state.loads.slice(loads).join('')).toContain('SYNPROXY');
    await proxy.stop();
  });

  test('is no longer when the line is gone, and a stop takes the rules out', async () => {
    const { proxy, state, lines, flood } = await stand();
    await flood(HOST);
    await proxy.installed({ ...CONFIGURATION, postern: {} });
    expect(proxy.hosts()).toEqual([]);
    expect(proxy.takes(HOST)).toBe(false);
    expect(lines().at(-1)).toContain('SYN_PROXY_OFF');
    expect(state.raw).toContain('-X POSTERN-PROXY');
    await proxy.installed(CONFIGURATION);
    await flood(HOST);
    await proxy.stop();
    expect(state.raw).toContain('-X POSTERN-PROXY');
    expect(proxy.takes(HOST)).toBe(false);
  });
});

describe('what cannot be had is told once', () => {
  test('a server on this machine', async () => {
    const { proxy, lines, flood } = await stand();
    await flood(OWN);
    await flood(OWN);
    expect(proxy.hosts()).toEqual([]);
    expect(lines()).toEqual([
      `%POSTERN-4-SYN_PROXY_REFUSED: The kernel cannot answer for host ${OWN}: it is an address of this machine`,
    ]);
  });

  test('a kernel without SYNPROXY: the thresholds go on alone until the rules are loaded anew', async () => {
    const { proxy, state, lines, flood } = await stand();
    state.refusal = 'no such target';
    await flood(HOST);
    await flood(HOST);
    expect(proxy.takes(HOST)).toBe(false);
    expect(proxy.hosts()).toEqual([]);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatch(/^%POSTERN-4-SYN_PROXY_REFUSED: .*no such target$/);
    state.refusal = '';
    await proxy.installed(CONFIGURATION);
    expect(proxy.takes(HOST)).toBe(true);
  });

  test('translated SYNs, which meet the gate and not the rules', async () => {
    const { proxy, lines, flood, readAfter } = await stand();
    await flood(HOST);
    await readAfter(2_000, 0);
    await flood(HOST);
    await readAfter(2_000, 0);
    expect(lines()).toEqual([ON, expect.stringContaining('no SYN comes to this address itself')]);
    expect(proxy.takes(HOST)).toBe(false);
  });
});

test('nothing is touched where nobody asked for it, or the rules are not ours to change', async () => {
  const off = await stand({ ...CONFIGURATION, postern: {} });
  await off.flood(HOST);
  expect([off.proxy.takes(HOST), off.lines(), off.state.loads]).toEqual([false, [], []]);
  const { run, state } = kernel();
  const logger = { log: () => undefined, tick: () => undefined, close: () => undefined };
  const proxy = new SynProxy({ logger, rules: { run, ipv6: false }, now: () => 0 }, CONFIGURATION);
  proxy.flooded([HOST]);
  await proxy.stop();
  expect([proxy.takes(HOST), state.loads]).toEqual([false, []]);
});
