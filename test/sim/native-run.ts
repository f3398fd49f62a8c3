import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JudgedEvent } from '../../src/engine/judge.ts';
import { PacketEngine } from '../../src/engine/packet-engine.ts';
import type { Addon } from '../../src/native/addon.ts';
import { type Configuration, EMPTY_CONFIGURATION, type ProtocolInspection } from '../../src/policy/configuration.ts';

/** What the native path made of a capture. */
export interface NativeRun {
  readonly verdicts: readonly string[];
  readonly ends: readonly string[];
  readonly counters: Readonly<Record<string, number>>;
  /** What was forwarded. */
  readonly output: Buffer;
}

/** Runs a capture through the real binary, its packet loop and its judge, as `postern replay --write` does. */
export function runNatively(
  addon: Addon,
  capture: Buffer,
  inspection: ProtocolInspection,
  hostname: string,
): NativeRun {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sim-'));
  try {
    const input = join(folder, 'in.pcap');
    const out = join(folder, 'out.pcap');
    writeFileSync(input, capture);
    const verdicts: string[] = [];
    const ends: string[] = [];
    const engine = new PacketEngine({
      addon,
      host: addon.openCapture(input, out),
      worker: 0,
      settings: {
        configuration: configurationFor(inspection),
        hostname,
        marks: { offloadBoth: 0, offloadResponder: 0, clear: 0, session: 0 },
      },
      log: () => undefined,
      observe: (event) => {
        const verdict = verdictOf(event);
        if (verdict !== undefined) verdicts.push(verdict);
        if (event.kind === 'close') ends.push(event.what);
      },
    });
    engine.run();
    const { counters } = engine.statistics();
    engine.close();
    return { verdicts, ends, counters, output: readFileSync(out) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function configurationFor(inspection: ProtocolInspection): Configuration {
  return {
    ...EMPTY_CONFIGURATION,
    rules: [{ name: 'sim', protocols: [inspection] }],
    interfaces: [{ name: 'any', inspectIn: 'sim' }],
  };
}

/** A whole frame's verdict, or a refusal at any point; prefixes that went ahead are matters of packets. */
function verdictOf({ kind, what, outcome }: JudgedEvent): string | undefined {
  if (kind !== 'frame' || outcome === undefined) return undefined;
  const [from, frame] = what.split(' ');
  if (outcome.verdict === 'refuse') return `${from} refused ${outcome.reason}`;
  return frame === 'partial' ? undefined : `${from} ${frame} ${outcome.verdict}`;
}
