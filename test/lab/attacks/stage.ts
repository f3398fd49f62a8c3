import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startCapture } from '../capture.ts';
import { talk } from '../dialogue.ts';
import { ADDRESSES } from '../lab.ts';
import { POSTERN, posternLogTexts } from '../postern.ts';
import { type Running, start, until } from '../process.ts';
import { inRepository } from '../repository.ts';
import { createWorld, posternOf, type World } from '../world.ts';
import type { PlayStep } from './cutting.ts';

/** The account that the cases speak of. */
const PASSWORD = 'pass';
const USERS = `u1:{PLAIN}${PASSWORD}\n`;
/** Clients that play at once: Postfix has a hundred processes, this machine two cores. */
const CLIENTS_AT_ONCE = 36;
/** A play of that many is over by then, whatever stalls. */
const PLAY_TIMEOUT_MS = 150_000;

/** The debug stream follows the packets through three processes. */
const DEBUG_LAG_MS = 500;

/** It begins in a process of its own, and what is played before that is judged unseen. */
const DEBUG_START_TIMEOUT_MS = 60_000;

export interface Client {
  readonly steps: readonly PlayStep[];
  /** Its part, where the server is scripted. */
  readonly server?: readonly unknown[];
}

/** One of Postern's judgements, out of its debug stream. */
export interface Judged {
  readonly side: 'initiator' | 'responder';
  /** The frame's kind. */
  readonly what: string;
  readonly verdict: string;
  readonly reason: string | undefined;
}

/** What became of one client, from every side. */
export interface Flow {
  readonly local: string;
  readonly sent: string;
  readonly received: string;
  /** How the client's connection stood at the end: `open`, `fin`, `reset`. */
  readonly end: string;
  /** The step whose answer was another than expected. */
  readonly stoppedAt: number | undefined;
  /** What passed the router toward the server, and what the server said. */
  readonly got: string;
  readonly answered: string;
  readonly judged: readonly Judged[];
  /** Where Postern says that the session stands; nothing when it has forgotten it. */
  readonly stage: string | undefined;
  readonly told: readonly string[];
}

export interface Stage {
  readonly world: World;
  readonly server: StageServer;
  /** Postern's debug stream so far. */
  debug(): string;
  play(port: number, clients: readonly Client[]): Promise<Flow[]>;
  close(): Promise<void>;
}

/** The server that is played against where none is scripted. */
export const STAGE_SERVERS = ['server', 'exim', 'courier'] as const;
export type StageServer = (typeof STAGE_SERVERS)[number];

/** A lab whose client has 32,000 addresses, so that every log line says which dialogue it is about. */
export async function openStage(
  configuration: string,
  server: StageServer = 'server',
  offloads = false,
): Promise<Stage> {
  const others = { exim: server === 'exim', courier: server === 'courier', courierPassword: PASSWORD };
  const world = await createWorld({ configuration, logDialogues: true, offloads, ...others });
  const { client, router } = world.lab;
  await client.must(['ip', 'route', 'add', 'local', '10.80.128.0/17', 'dev', 'lo']);
  await client.must(['sysctl', '-qw', 'net.ipv4.tcp_autocorking=0']);
  await router.must(['ip', 'route', 'add', '10.80.128.0/17', 'via', ADDRESSES.client.v4]);
  writeFileSync(join(world.folder('dovecot'), 'users'), USERS);
  const debug = start([POSTERN, 'debug', 'ip', 'inspect', 'detailed', '--control', posternOf(world).controlSocket]);
  await until('the debug stream to flow', () => isDebugFlowing(world, debug), DEBUG_START_TIMEOUT_MS);
  const players = { world, debug, server, played: 0 };
  return {
    world,
    server,
    debug: debug.output,
    async play(port, clients) {
      const flows: Flow[] = [];
      for (let at = 0; at < clients.length; at += CLIENTS_AT_ONCE) {
        flows.push(...(await playSome(players, port, clients.slice(at, at + CLIENTS_AT_ONCE))));
      }
      return flows;
    },
    async close() {
      await debug.stop();
      await world.close();
    },
  };
}

/** Sessions of protocols one of which every configuration inspects: does the stream tell of them yet? */
async function isDebugFlowing({ lab }: World, debug: Running): Promise<boolean> {
  for (const [port, bye] of [
    [25, 'QUIT\r\n'],
    [143, 'a LOGOUT\r\n'],
  ] as const) {
    const steps = [{ expect: '.' }, { send: bye }, { waitForEnd: true }] as const;
    await talk(lab.client, { host: ADDRESSES.server.v4, port, connectTimeoutMs: 1_000, steps });
    if (debug.output().includes('CBAC frame')) return true;
  }
  return false;
}

interface Players {
  readonly world: World;
  readonly debug: Running;
  readonly server: StageServer;
  played: number;
}

interface Told {
  readonly index?: number;
  readonly sentOctets: number;
  readonly received: string;
  readonly end: string;
  readonly stoppedAt?: number;
}

function addressFor(number: number): string {
  return `10.80.${128 + (number >> 8)}.${number & 255}`;
}

export function linesOf<T>(output: string): T[] {
  return output
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(Buffer.from(line, 'latin1').toString('utf8')) as T] : []));
}

async function startActor(players: Players, port: number, locals: readonly string[], clients: readonly Client[]) {
  const parts = Object.fromEntries(clients.map(({ server }, index) => [locals[index], server ?? []]));
  const input = JSON.stringify({ host: ADDRESSES.sink.v4, port, parts });
  const program = [process.execPath, inRepository('test', 'lab', 'attacks', 'actor.mjs')];
  const actor = players.world.lab.server.start(program, { input });
  await actor.waitFor(/listening/);
  return actor;
}

async function playSome(players: Players, port: number, clients: readonly Client[]): Promise<Flow[]> {
  const { world, debug } = players;
  const locals = clients.map(() => addressFor(++players.played));
  const file = join(world.folder('wire'), `${players.played}.pcap`);
  const inside = await startCapture(world.lab.router, 'inside0', file);
  const scripted = clients.some(({ server }) => server !== undefined);
  const actor = scripted ? await startActor(players, port, locals, clients) : undefined;
  const host = scripted ? ADDRESSES.sink.v4 : ADDRESSES[players.server].v4;
  const parts = clients.map(({ steps }, index) => ({ local: locals[index], steps }));
  const program = [process.execPath, inRepository('test', 'lab', 'attacks', 'player.mjs')];
  const player = world.lab.client.start(program, { input: JSON.stringify({ host, port, clients: parts }) });
  await player.waitFor(/"done"/, PLAY_TIMEOUT_MS);
  const sessions = await posternOf(world).sessions();
  await delay(DEBUG_LAG_MS);
  await inside.stop();
  await player.stop();
  await actor?.stop();
  const streams = [...inside.streams()];
  const log = posternLogTexts(posternOf(world));
  const tells = linesOf<Told>(player.output());
  return locals.map((local, index) => {
    const told = tells.find((line) => line.index === index);
    if (told === undefined) throw new Error(`client ${index} told nothing`);
    const text = (wanted: (ends: string) => boolean) => streams.find(([ends]) => wanted(ends))?.[1] ?? '';
    return {
      local,
      sent: writesOf(clients[index]).slice(0, told.sentOctets),
      received: told.received,
      end: told.end,
      stoppedAt: told.stoppedAt,
      got: text((ends) => ends.startsWith(`${local}.`)),
      answered: text((ends) => ends.includes(`>${local}.`)),
      judged: judgementsOf(debug.output(), local),
      stage: sessions.find(({ initiator }) => initiator.address === local)?.stage,
      told: log.filter((line) => line.includes(`(${local}:`) || line.includes(`${local}:`)),
    };
  });
}

function writesOf(client: Client | undefined): string {
  return (client?.steps ?? []).map((step) => ('writes' in step ? step.writes.join('') : '')).join('');
}

const FRAME = /^CBAC frame: \S+ \S+ \S+ \(([\d.]+):\d+\) => \S+ (initiator|responder) (\S+) (\S+)(?: (\S+))?$/;

export function judgementsOf(output: string, local: string): Judged[] {
  return output.split('\n').flatMap((line) => {
    const found = FRAME.exec(line.trim());
    if (found === null || found[1] !== local) return [];
    const [, , side, what, verdict, reason] = found;
    return [{ side: side as Judged['side'], what: what ?? '', verdict: verdict ?? '', reason }];
  });
}
