import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ADDRESSES, createLab, type Lab } from '../test/lab/lab.ts';
import { type Running, until } from '../test/lab/process.ts';
import { inRepository } from '../test/lab/repository.ts';
import { measure, type Round, SIZES } from './measures.ts';
import { preamble, table, withTable } from './report.ts';
import { SYSTEM_NAMES, type SystemName, startSystem } from './systems.ts';

/**
 * Rounds are interleaved: every system once, then again, starting with another one each time, so that a busy neighbour
 * or a warm cache favours none. Read the ratios; the figures themselves are this machine's.
 */

const DOCUMENT = inRepository('docs', 'performance.md');

async function startSink(lab: Lab): Promise<Running> {
  const where = `${ADDRESSES.sink.v4}:25`;
  const sink = lab.server.start(['sh', '-c', `ulimit -n 8192; exec smtp-sink -u nobody ${where} 1000`]);
  await until('smtp-sink', async () =>
    (await lab.server.must(['ss', '-ltnH', 'src', ADDRESSES.sink.v4])).includes(':25'),
  );
  return sink;
}

/** Finished connections would pile up in conntrack for two minutes each and slow later rounds down. */
async function forgetConnectionsSoon(lab: Lab): Promise<void> {
  await lab.router.run(['sysctl', '-qw', 'net.netfilter.nf_conntrack_tcp_timeout_time_wait=1']);
}

function availableSystems(): SystemName[] {
  const wanted = process.env.BENCH_SYSTEMS?.split(',');
  return SYSTEM_NAMES.filter(
    (name) =>
      (wanted === undefined || wanted.some((word) => name.toLowerCase().startsWith(word.toLowerCase()))) &&
      (name !== 'do-nothing queue program' || existsSync(inRepository('build', 'bench', 'do-nothing-queue'))),
  );
}

async function main(): Promise<void> {
  const lab = await createLab();
  const sink = await startSink(lab);
  await forgetConnectionsSoon(lab);
  const names = availableSystems();
  const results = new Map<SystemName, Round[]>(names.map((name) => [name, []]));
  for (let round = 0; round < SIZES.rounds; round++) {
    const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
    for (const name of order) {
      const system = await startSystem(name, lab);
      const measured = await measure(lab, system);
      await system.stop();
      results.get(name)?.push(measured);
      const { transactionsASecond, megabytesASecond, p50Microseconds } = measured;
      const figures = [transactionsASecond, megabytesASecond, p50Microseconds].map(Math.round).join(' ');
      process.stdout.write(`round ${round + 1} ${name}: ${figures} (tx/s, MB/s, p50 µs)\n`);
    }
  }
  await sink.stop();
  await lab.close();
  const text = `${preamble()}\n\n${table(results)}`;
  process.stdout.write(`\n${text}\n`);
  // A part of the systems, or a quick run, is no result to keep.
  if (process.env.BENCH_WRITE !== 'no' && names.length === SYSTEM_NAMES.length) {
    writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8'), text));
  }
}

await main();
