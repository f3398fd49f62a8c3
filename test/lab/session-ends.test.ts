import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawClient, type RawConnection, startRawClient } from './attacks/raw.ts';
import { type Script, talk } from './dialogue.ts';
import { ADDRESSES, createLab, type Lab } from './lab.ts';
import { type Listener, startListener } from './listener.ts';
import { configurationOf, type Postern, startPostern } from './postern.ts';
import { until } from './process.ts';

/** How sessions end that nobody ends well (cisco-ios 3.5, 3.10, D-24), and that nothing of them is left anywhere. */

const SYNWAIT_MS = 2_000;
const IDLE_MS = 4_000;
/** Timers are looked at ten times a second, and this machine has other work. */
const GRACE_MS = 1_500;
const CONFIGURATION = configurationOf(
  ['esmtp alert on audit-trail on', 'pop3 alert on audit-trail on', 'imap alert on audit-trail on'],
  [
    `ip inspect tcp synwait-time ${SYNWAIT_MS / 1_000}`,
    'ip inspect tcp finwait-time 1',
    `ip inspect tcp idle-time ${IDLE_MS / 1_000}`,
    'ip inspect tcp reassembly queue length 2 timeout 1 alarm on',
  ],
);
/** Ports of the server: one that keeps its side open, one that finishes, one that drops SYNs, one where nobody listens. */
const PORTS = { patient: 25, finishing: 587, silent: 110, closed: 143 } as const;
const [FIN, SYN_ACK, RST] = [1, 0x12, 4] as const;

interface Scene {
  readonly lab: Lab;
  readonly postern: Postern;
  readonly raw: RawClient;
  readonly patient: Listener;
  readonly finishing: Listener;
  close(): Promise<void>;
}

async function openScene(offloads: boolean): Promise<Scene> {
  const lab = await createLab({ offloads });
  try {
    const folder = join(lab.folder, 'postern');
    mkdirSync(folder);
    const drop = ['-p', 'tcp', '--dport', String(PORTS.silent), '--syn', '-j', 'DROP'];
    await lab.server.must(['iptables', '-w', '-A', 'INPUT', ...drop]);
    const replies = [['^NOOP', '250 ok\r\n']] as const;
    const script = { host: '0.0.0.0', greeting: '220 mx.example ESMTP\r\n', replies };
    const patient = await startListener(lab.server, { ...script, port: PORTS.patient });
    const finishing = await startListener(lab.server, { ...script, port: PORTS.finishing, finishes: true });
    const postern = await startPostern({ router: lab.router, folder, configuration: CONFIGURATION });
    const raw = await startRawClient({ lab });
    const close = async () => {
      raw.stop();
      await postern.stop();
      await lab.close();
    };
    return { lab, postern, raw, patient, finishing, close };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

/** The sockets of the server in this state, as `ss` prints them. */
const socketsIn = async ({ lab }: Scene, state: string): Promise<string> =>
  (await lab.server.must(['ss', '-Htn', 'state', state])).trim();

async function waitForNoSocket(scene: Scene, state: string, timeoutMs: number): Promise<void> {
  await until(`no ${state} at the server`, async () => (await socketsIn(scene, state)) === '', timeoutMs);
}

/** No session, no packet in hand, no octet out of order, no mark of ours in conntrack; and the counts add up. */
async function expectNothingLeft({ lab, postern }: Scene): Promise<void> {
  await until('the end of all sessions', async () => (await postern.sessions()).length === 0, 10_000);
  const { packets, sessions, reassembly } = await postern.statistics();
  expect(packets).toMatchObject({ held: 0, kernelDropped: 0 });
  expect(packets.received).toBe(packets.accepted + packets.rewritten + packets.dropped);
  expect(sessions).toMatchObject({ halfOpen: 0, established: 0, terminating: 0 });
  expect(reassembly.currentBytes).toBe(0);
  expect(await lab.router.must(['conntrack', '-L', '-p', 'tcp'])).not.toMatch(/mark=[1-9]/);
}

let connections = 0;

interface Shaken {
  readonly connection: RawConnection;
  /** Sequence number of the client's first octet, and what it acknowledges. */
  readonly first: number;
  readonly acknowledged: number;
}

async function sendSyn({ raw }: Scene, port: number): Promise<{ connection: RawConnection; first: number }> {
  const number = ++connections;
  const connection = await raw.open(number, port);
  const first = 1_000_000 * number;
  connection.send({ sequence: first - 1, acknowledgement: 0, payload: '', fl: 'S' });
  return { connection, first };
}

/** A handshake and the greeting, acknowledged. */
async function shakeHands(scene: Scene, port: number): Promise<Shaken> {
  const { connection, first } = await sendSyn(scene, port);
  const answer = await until('SYN-ACK', () => connection.heard().find(({ flags }) => (flags & SYN_ACK) === SYN_ACK));
  const acknowledge = (acknowledgement: number) =>
    connection.send({ sequence: first, acknowledgement, payload: '', fl: 'A' });
  acknowledge(answer.sequence + 1);
  const greeting = await until('the greeting', () => connection.heard().find(({ payload }) => payload.length > 0));
  const acknowledged = greeting.sequence + greeting.payload.length;
  acknowledge(acknowledged);
  return { connection, first, acknowledged };
}

const wasReset = (connection: RawConnection): boolean => connection.heard().some(({ flags }) => (flags & RST) !== 0);

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const startedAt = performance.now();
  return [await work, performance.now() - startedAt];
}

/** Carries the steps out with a real stack behind them. */
const converse = ({ lab }: Scene, script: Pick<Script, 'port' | 'steps' | 'connectTimeoutMs'>) =>
  talk(lab.client, { host: ADDRESSES.sink.v4, ...script });

describe.each([
  ['on', true],
  ['off', false],
])('with offloads %s', (_, offloads) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(offloads);
  });
  afterAll(async () => {
    await scene?.close();
  });

  describe('a handshake', () => {
    it('that the server never answers ends at synwait, and the client is told', async () => {
      const script = { port: PORTS.silent, steps: [], connectTimeoutMs: 15_000 };
      const [client, tookMs] = await timed(converse(scene, script));
      expect(client.end).toBe('ECONNREFUSED');
      expect(tookMs).toBeGreaterThan(SYNWAIT_MS - 100);
      expect(tookMs).toBeLessThan(SYNWAIT_MS + 2 * GRACE_MS);
      await expectNothingLeft(scene);
    });

    it('that the server refuses is refused at once', async () => {
      const [client, tookMs] = await timed(converse(scene, { port: PORTS.closed, steps: [] }));
      expect(client.end).toBe('ECONNREFUSED');
      expect(tookMs).toBeLessThan(GRACE_MS);
      await expectNothingLeft(scene);
    });

    it('that stops after SYN, unanswered, ends at synwait', async () => {
      const { connection } = await sendSyn(scene, PORTS.silent);
      await until('the half-open session', async () => (await scene.postern.sessions()).length === 1);
      expect((await scene.postern.sessions())[0]).toMatchObject({ state: 'SIS_OPENING' });
      await until('RST', () => wasReset(connection), SYNWAIT_MS + GRACE_MS);
      await expectNothingLeft(scene);
    });

    it('that stops after SYN-ACK leaves no SYN-RECEIVED at the server', async () => {
      const { connection } = await sendSyn(scene, PORTS.patient);
      await until('SYN-RECEIVED', async () => (await socketsIn(scene, 'syn-recv')).includes(connection.address));
      await waitForNoSocket(scene, 'syn-recv', SYNWAIT_MS + GRACE_MS);
      await expectNothingLeft(scene);
    });
  });

  describe('FIN', () => {
    it('from both sides ends a session without any RST', async () => {
      const before = scene.finishing.ends().length;
      const steps = [{ expect: '^220 ' }, { finish: true }, { waitForEnd: true }] as const;
      expect((await converse(scene, { port: PORTS.finishing, steps })).end).toBe('fin');
      await expectNothingLeft(scene);
      expect(scene.finishing.ends().slice(before)).toEqual(['fin']);
      await waitForNoSocket(scene, 'last-ack', GRACE_MS);
    });

    it('from one side alone leaves a session that lives by the idle time', async () => {
      const before = scene.patient.ends().length;
      const steps = [{ expect: '^220 ' }, { finish: true }, { waitForEnd: true, timeoutMs: 12_000 }] as const;
      const talking = timed(converse(scene, { port: PORTS.patient, steps }));
      await until('a closing session', async () => (await scene.postern.sessions())[0]?.state === 'SIS_CLOSING');
      // Beyond finwait by far.
      await delay(IDLE_MS / 2);
      expect(await scene.postern.sessions()).toHaveLength(1);
      expect(await socketsIn(scene, 'close-wait')).not.toBe('');
      const [client, tookMs] = await talking;
      expect(client.end).toBe('reset');
      expect(tookMs).toBeGreaterThan(IDLE_MS - 100);
      await expectNothingLeft(scene);
      // It heard the client's FIN and kept its own back; of the RST only its kernel knows.
      expect(scene.patient.ends().slice(before)).toEqual(['fin']);
      await waitForNoSocket(scene, 'close-wait', GRACE_MS);
    });

    it('from both sides without the last acknowledgement is cleared at finwait, at both ends', async () => {
      const { connection, first, acknowledged } = await shakeHands(scene, PORTS.finishing);
      connection.send({ sequence: first, acknowledgement: acknowledged, payload: '', fl: 'FA' });
      await until("the server's FIN", () => connection.heard().find(({ flags }) => (flags & FIN) !== 0));
      expect(await socketsIn(scene, 'last-ack')).toContain(connection.address);
      await until('RST', () => wasReset(connection), 1_000 + GRACE_MS);
      await waitForNoSocket(scene, 'last-ack', GRACE_MS);
      await expectNothingLeft(scene);
      await scene.postern.waitForLog(/\[finwait-timeout\]/);
    });
  });

  describe('RST', () => {
    it('inside of the window is dropped and counted, and the session lives', async () => {
      const before = (await scene.postern.statistics()).drops['l4-tcp-rst-in-win'] ?? 0;
      const { connection, first, acknowledged } = await shakeHands(scene, PORTS.patient);
      for (const offset of [1, 100, 30_000]) {
        connection.send({ sequence: first + offset, acknowledgement: acknowledged, payload: '', fl: 'R' });
      }
      await delay(200);
      connection.send({ sequence: first, acknowledgement: acknowledged, payload: 'NOOP\r\n' });
      await until('the answer', () => connection.heard().find(({ payload }) => payload.toString().startsWith('250 ')));
      expect((await scene.postern.statistics()).drops['l4-tcp-rst-in-win']).toBe(before + 3);
      // And the one at the right place ends it.
      connection.send({ sequence: first + 6, acknowledgement: acknowledged, payload: '', fl: 'R' });
      await until('the end at the server', () => scene.patient.ends().at(-1) === 'reset');
      await expectNothingLeft(scene);
    });
  });

  it('a gap that never closes: what finds no room is dropped, the rest is freed at the second expiry, and told', async () => {
    const { connection, first, acknowledged } = await shakeHands(scene, PORTS.patient);
    const before = await scene.postern.statistics();
    for (const offset of [6, 12, 18]) {
      connection.send({ sequence: first + offset, acknowledgement: acknowledged, payload: 'NOOP\r\n' });
    }
    await until('the queue', async () => (await scene.postern.statistics()).packets.held === 2);
    const { reassembly } = await scene.postern.statistics();
    expect(reassembly.outOfOrderPackets).toBe(before.reassembly.outOfOrderPackets + 3);
    expect(reassembly.droppedPackets).toBe(before.reassembly.droppedPackets + 1);
    await until('RST', () => wasReset(connection), 2_000 + GRACE_MS);
    await until('the end at the server', () => scene.patient.ends().at(-1) === 'reset');
    await expectNothingLeft(scene);
    const told = scene.postern
      .log()
      .filter(({ initiator }) => initiator?.startsWith(`${connection.address}:`) === true);
    expect(told.map(({ mnemonic }) => mnemonic)).toEqual([
      'SESS_AUDIT_TRAIL_START',
      'TCP_OOO_SEG',
      'TCP_OOO_TIMEOUT',
      'TCP_OOO_SESSION_DELETED',
      'SESS_AUDIT_TRAIL',
    ]);
    expect(told[1]?.msg).toContain(`seq:${first + 18} 6 bytes is out-of-order; expected seq:${first}.`);
  });

  it('silence ends a session at the idle time, at both ends', async () => {
    const before = scene.patient.ends().length;
    const steps = [{ expect: '^220 ' }, { waitForEnd: true, timeoutMs: 12_000 }] as const;
    const [client, tookMs] = await timed(converse(scene, { port: PORTS.patient, steps }));
    expect(client.end).toBe('reset');
    expect(tookMs).toBeGreaterThan(IDLE_MS - 100);
    expect(scene.patient.ends().slice(before)).toEqual(['reset']);
    await expectNothingLeft(scene);
  });
});
