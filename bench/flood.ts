import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../test/lab/certificate.ts';
import { startDovecot } from '../test/lab/dovecot.ts';
import { routeFlood } from '../test/lab/flood.ts';
import { ADDRESSES, createLab, type Lab } from '../test/lab/lab.ts';
import { inRepository } from '../test/lab/repository.ts';
import { FLOOD_SIZES, type FloodRound, LEVELS, type Level, measureLevel, ranked } from './flood-measures.ts';
import { barsOf, barTable, floodPreamble, floodTable } from './flood-report.ts';
import { FLOOD_SYSTEMS, type FloodSystem } from './flood-systems.ts';
import { withTable } from './report.ts';

/**
 * A flood of SYNs at a mail server, and what honest clients of it feel: one in a POP3 session that was there before, and
 * new ones that want to send mail.
 */

const DOCUMENT = inRepository('docs', 'performance.md');

type Levels = Map<Level, FloodRound[]>;

/** A real POP3 server, ranked as an endpoint. */
async function startPop3(lab: Lab): Promise<void> {
  const folder = join(lab.folder, 'dovecot');
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  const { server } = lab;
  const namespace = {
    ...server,
    start: (argv: readonly string[], options = {}) => server.start(ranked(argv), options),
  };
  const certificate = await makeCertificate(lab.folder);
  await startDovecot({ namespace, folder, addresses: [ADDRESSES.server.v4], certificate });
}

function report(system: FloodSystem, level: Level, round: FloodRound): void {
  const { established, fresh, mainQueueLost, gateQueueLost } = round;
  const figures = [
    `${round.flood?.synsASecond ?? 0} SYN/s`,
    `established p50 ${established.p50Microseconds} p99 ${established.p99Microseconds} µs`,
    `${established.done}/${established.begun}`,
    `new ${fresh.done}/${fresh.begun}`,
    `queues lost ${mainQueueLost} + ${gateQueueLost}`,
    `SYN-RECV ${round.synReceived}`,
  ];
  process.stdout.write(`${system.name}, ${level}: ${figures.join(', ')}\n`);
}

/** Answers the reason when the system cannot be had. */
async function floodSystem(lab: Lab, system: FloodSystem, levels: Levels): Promise<string | undefined> {
  const guard = await system.start(lab);
  if ('unavailable' in guard) {
    process.stdout.write(`${system.name}: not measured: ${guard.unavailable}\n`);
    return guard.unavailable;
  }
  for (const level of LEVELS) {
    const round = await measureLevel(lab, { system, guard }, level);
    levels.set(level, [...(levels.get(level) ?? []), round]);
    report(system, level, round);
  }
  await guard.stop();
  return undefined;
}

function wantedSystems(): readonly FloodSystem[] {
  const wanted = process.env.FLOOD_SYSTEMS?.split(',').map((word) => word.toLowerCase());
  return FLOOD_SYSTEMS.filter(
    ({ name }) => wanted === undefined || wanted.some((word) => name.toLowerCase().startsWith(word)),
  );
}

async function main(): Promise<void> {
  const systems = wantedSystems();
  const results = new Map<string, Levels | string>(systems.map(({ name }) => [name, new Map()]));
  for (let round = 0; round < FLOOD_SIZES.rounds; round++) {
    for (const system of systems) {
      const levels = results.get(system.name);
      if (levels === undefined || typeof levels === 'string') continue;
      // A network of its own each time: neighbours, routes and connections of one flood are not the next system's.
      const lab = await createLab();
      await routeFlood(lab);
      await startPop3(lab);
      const unavailable = await floodSystem(lab, system, levels);
      if (unavailable !== undefined) results.set(system.name, unavailable);
      await lab.close();
    }
  }
  const bars = barsOf(results);
  const text = [floodPreamble(), floodTable(results), barTable(bars)].join('\n\n');
  process.stdout.write(`\n${text}\n`);
  // A part of the systems, or a quick run, is no result to keep.
  if (process.env.BENCH_WRITE !== 'no' && systems.length === FLOOD_SYSTEMS.length) {
    writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8'), text, 'flood'));
  }
  if (process.env.BENCH_STRICT === '1' && bars.some(({ kept }) => kept !== true)) process.exitCode = 1;
}

await main();
