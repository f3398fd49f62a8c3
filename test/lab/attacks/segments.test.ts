import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PERMISSIVE } from '../postern.ts';
import { CASES } from './cases.ts';
import { problemsOfSunk, type Sunk, sinkCases } from './sink.ts';
import { openStage, type Stage } from './stage.ts';

const HOPS_BEHIND = 5;

/** Segments that no kernel sends: what the server's socket reads is what Postern judged, and nothing stalls. */
describe.each([
  ['offloads off', false],
  ['offloads on', true],
])('segments, %s', (_name, offloads) => {
  const cases = CASES.filter(({ segments }) => segments !== undefined);
  let stage: Stage;
  let sunk: Sunk[] = [];
  beforeAll(async () => {
    stage = await openStage(PERMISSIVE, 'server', offloads);
    // As if there were more routers behind ours: what has few hops left dies on its way to the server.
    const dying = ['-m', 'ttl', '--ttl-lt', String(HOPS_BEHIND), '-j', 'DROP'];
    await stage.world.lab.server.must(['iptables', '-w', '-t', 'raw', '-A', 'PREROUTING', ...dying]);
    sunk = await sinkCases(stage, cases);
  });
  afterAll(async () => {
    await stage?.close();
  });

  it.each(cases)('$id $name', (of) => {
    const mine = sunk.find((one) => one.of.id === of.id);
    expect(mine).toBeDefined();
    if (mine === undefined) return;
    if (process.env.POSTERN_ATTACK_PRINT !== undefined)
      process.stdout.write(`${JSON.stringify({ ...mine, of: of.id })}\n`);
    expect(problemsOfSunk(mine)).toEqual([]);
  });
});
