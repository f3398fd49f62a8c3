import type { Configuration } from '../policy/configuration.ts';
import { kernelSpeaksIpv6 } from './install.ts';
import { findProgram, type RunCommand, runCommand } from './run-command.ts';
import {
  type ProxiedServer,
  RAW_CHAIN,
  RAW_JUMP,
  type RawStanding,
  removeRawLines,
  synCounts,
  synProxyText,
} from './syn-proxy-rules.ts';

const WAIT = ['--wait', '10'];

interface Family {
  readonly name: 'ipv4' | 'ipv6';
  readonly list: string;
  readonly restore: string;
  readonly save: string;
}

export interface SynProxyRulesOptions {
  /** Tests run the programs inside a namespace. */
  readonly run?: RunCommand;
  readonly ipv6?: boolean;
}

/**
 * Sets the rules of flooded servers beside the installed ones, which stay with their counters: each table of a family
 * in one transaction. Answers what was wrong, if anything was; then the kernel answers for nobody.
 */
export async function setSynProxy(
  configuration: Configuration,
  servers: readonly ProxiedServer[],
  options: SynProxyRulesOptions = {},
): Promise<string | undefined> {
  const { run = runCommand } = options;
  for (const family of findFamilies(options)) {
    const standing = { family: family.name, ...(await listRaw(family, run)) };
    const text = synProxyText(configuration, servers, standing);
    const result = await run(family.restore, ['--noflush', ...WAIT], text);
    if (result.code !== 0) return said(family.restore, result.stderr);
  }
  return undefined;
}

/** Takes the chain of the raw table out, also one that a daemon left that was killed. Nothing to do is no error. */
export async function removeSynProxy(options: SynProxyRulesOptions = {}): Promise<string | undefined> {
  const { run = runCommand } = options;
  for (const family of findFamilies(options)) {
    const lines = removeRawLines(await listRaw(family, run));
    if (lines.length === 0) continue;
    const result = await run(family.restore, ['--noflush', ...WAIT], `${lines.join('\n')}\n`);
    if (result.code !== 0) return said(family.restore, result.stderr);
  }
  return undefined;
}

/** SYNs toward each server since its rules were set. */
export async function readSynCounts(options: SynProxyRulesOptions = {}): Promise<ReadonlyMap<string, number>> {
  const { run = runCommand } = options;
  const counts = new Map<string, number>();
  for (const { save } of findFamilies(options)) {
    const saved = await run(save, ['--counters', '--table', 'raw']);
    if (saved.code !== 0) continue;
    for (const [server, packets] of synCounts(saved.stdout)) counts.set(server, packets);
  }
  return counts;
}

async function listRaw(family: Family, run: RunCommand): Promise<RawStanding> {
  const listing = await run(family.list, [...WAIT, '-t', 'raw', '-S']);
  const lines = listing.code === 0 ? listing.stdout.split('\n') : [];
  return { chain: lines.includes(`-N ${RAW_CHAIN}`), jump: lines.includes(RAW_JUMP) };
}

function findFamilies({ ipv6 = kernelSpeaksIpv6() }: SynProxyRulesOptions): readonly Family[] {
  const programs = [
    ['ipv4', 'iptables'],
    ['ipv6', 'ip6tables'],
  ] as const;
  return programs.flatMap(([name, program]) => {
    const list = findProgram(program);
    const restore = findProgram(`${program}-restore`);
    const save = findProgram(`${program}-save`);
    const there = list !== undefined && restore !== undefined && save !== undefined;
    return there && (name === 'ipv4' || ipv6) ? [{ name, list, restore, save }] : [];
  });
}

function said(program: string, stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return `${program}: ${lines.slice(0, 2).join(' ').slice(0, 300) || 'it ended without a word'}`;
}
