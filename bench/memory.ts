import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { floodResult, routeFlood, startFlood } from '../test/lab/flood.ts';
import { ADDRESSES, createLab, type Lab } from '../test/lab/lab.ts';
import { configurationOf, type Postern, startPostern } from '../test/lab/postern.ts';
import { inRepository } from '../test/lab/repository.ts';
import { machineLine, row, withTable } from './report.ts';

/** What a million half-open connections and a hundred thousand idle sessions take of the daemon's resident memory. */

const DOCUMENT = inRepository('docs', 'performance.md');
const IDLE_SESSIONS = inRepository('build', 'bench', 'idle-sessions');

const HALF_OPEN = Number(process.env.MEMORY_HALF_OPEN ?? 1_000_000);
const ESTABLISHED = Number(process.env.MEMORY_ESTABLISHED ?? 100_000);
const GROWTH_MEGABYTES_MAX = 100;

const SYNS_A_SECOND = 50_000;
/** SYNs that the network lost come again; one that is known already changes nothing. */
const PASSES_MAX = 5;
/** A network behind the server that swallows everything: nothing answers a SYN, nothing refuses one. */
const SILENT = { network: '10.80.3.0/24', host: '10.80.3.1' } as const;
/** One address has ports for some 60,000 sessions. */
const CLIENTS = ['10.80.1.10', '10.80.1.11', '10.80.1.12', '10.80.1.13'] as const;
/** Below what a process may have of descriptors on a machine that nobody tuned. */
const SESSIONS_A_PROGRAM = 12_500;
const OPENING_TIMEOUT_MS = 180_000;
/** For what was in flight, and the collectors. */
const SETTLE_MS = 3_000;

/** No threshold stands in the way, and nothing expires while it is counted. */
const CONFIGURATION = configurationOf(
  ['esmtp', 'pop3', 'imap'],
  ['postern compat defaults modern', 'postern queue count 1', 'ip inspect tcp synwait-time 900'],
);

interface Growth {
  readonly what: string;
  readonly wanted: number;
  readonly reached: number;
  readonly beforeMegabytes: number;
  readonly afterMegabytes: number;
}

const megabytes = (postern: Postern) => postern.residentKilobytes() / 1_024;

async function grow(
  lab: Lab,
  kind: { readonly what: string; readonly wanted: number },
  fill: (postern: Postern) => Promise<number>,
): Promise<Growth> {
  const postern = await startPostern({ router: lab.router, folder: lab.folder, configuration: CONFIGURATION });
  await delay(SETTLE_MS);
  const beforeMegabytes = megabytes(postern);
  const reached = await fill(postern);
  await delay(SETTLE_MS);
  const afterMegabytes = megabytes(postern);
  await postern.stop();
  await lab.router.run(['conntrack', '-F']);
  const growth = { ...kind, reached, beforeMegabytes, afterMegabytes };
  process.stdout.write(`${rowOf(growth)}\n`);
  return growth;
}

async function fillHalfOpen(lab: Lab, postern: Postern): Promise<number> {
  const { client, router, server } = lab;
  await server.must(['ip', 'route', 'replace', 'blackhole', SILENT.network]);
  await router.must(['ip', 'route', 'replace', SILENT.network, 'via', ADDRESSES.server.v4]);
  let reached = 0;
  for (let pass = 0; pass < PASSES_MAX && reached < HALF_OPEN; pass++) {
    const seconds = (2 * HALF_OPEN) / SYNS_A_SECOND;
    const flood = startFlood(client, { host: SILENT.host, synsASecond: SYNS_A_SECOND, seconds, count: HALF_OPEN });
    await flood.exited;
    await delay(1_000);
    const { sent } = floodResult(flood.output());
    reached = (await postern.statistics()).sessions.halfOpen;
    process.stdout.write(`${sent} SYNs sent, ${reached} connections half open\n`);
  }
  return reached;
}

/** Servers and clients go on while memory is read, and end with the lab. */
async function fillEstablished(lab: Lab, postern: Postern): Promise<number> {
  const { client, server } = lab;
  const where = [ADDRESSES.server.v4, '25'];
  const programs = Math.ceil(ESTABLISHED / SESSIONS_A_PROGRAM);
  for (const address of CLIENTS) await client.must(['ip', 'address', 'replace', `${address}/24`, 'dev', 'eth0']);
  for (let started = 0; started < programs; started++) {
    await server.start([IDLE_SESSIONS, 'serve', ...where]).waitFor(/ready/);
  }
  for (let opened = 0; opened < ESTABLISHED; opened += SESSIONS_A_PROGRAM) {
    const count = Math.min(SESSIONS_A_PROGRAM, ESTABLISHED - opened);
    const crowd = [String(count), CLIENTS[0], String(CLIENTS.length)];
    const opener = client.start([IDLE_SESSIONS, 'open', ...where, ...crowd]);
    const said = await opener.waitFor(/^open .*$/m, OPENING_TIMEOUT_MS);
    process.stdout.write(`clients: ${said.trim()}\n`);
  }
  await delay(SETTLE_MS);
  return (await postern.statistics()).sessions.established;
}

const growthOf = ({ afterMegabytes, beforeMegabytes }: Growth) => afterMegabytes - beforeMegabytes;
const isKept = (growth: Growth) => growth.reached >= growth.wanted && growthOf(growth) <= GROWTH_MEGABYTES_MAX;

function rowOf(growth: Growth): string {
  const figures = [growth.beforeMegabytes, growth.afterMegabytes, growthOf(growth)].map((value) => value.toFixed(1));
  const bytesEach = Math.round((growthOf(growth) * 1_048_576) / growth.reached);
  const cells = [growth.what, String(growth.reached), ...figures, String(bytesEach)];
  return row([...cells, isKept(growth) ? 'kept' : 'MISSED']);
}

function table(growths: readonly Growth[]): string {
  const bar = `grows by at most ${GROWTH_MEGABYTES_MAX} MB`;
  const titles = ['', 'how many', 'before, MB', 'after, MB', 'growth, MB', 'bytes each', bar];
  return [row(titles), row(titles.map(() => '---')), ...growths.map(rowOf)].join('\n');
}

async function measured(
  kind: { readonly what: string; readonly wanted: number },
  fill: (lab: Lab, postern: Postern) => Promise<number>,
): Promise<Growth> {
  const lab = await createLab();
  await routeFlood(lab);
  const growth = await grow(lab, kind, (postern) => fill(lab, postern));
  await lab.close();
  return growth;
}

async function main(): Promise<void> {
  const growths = [
    await measured({ what: 'half-open connections', wanted: HALF_OPEN }, fillHalfOpen),
    await measured({ what: 'idle established sessions', wanted: ESTABLISHED }, fillEstablished),
  ];
  const text = `${machineLine()}\n\n${table(growths)}`;
  process.stdout.write(`\n${text}\n`);
  if (process.env.BENCH_WRITE !== 'no') {
    writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8'), text, 'memory'));
  }
  if (process.env.BENCH_STRICT === '1' && !growths.every(isKept)) process.exitCode = 1;
}

await main();
