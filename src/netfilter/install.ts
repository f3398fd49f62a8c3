import { existsSync } from 'node:fs';
import { CHAINS, type RuleTexts } from './rules.ts';
import { findProgram, type RunCommand, runCommand } from './run-command.ts';

/** Says what went wrong and, where it is known, what mends it. */
export class RulesError extends Error {
  override readonly name = 'RulesError';
}

export interface InstallOptions {
  /** Tests run the programs inside a namespace. */
  readonly run?: RunCommand;
  /** Whether this kernel speaks IPv6; without it there is nothing to guard and ip6tables cannot work. */
  readonly ipv6?: boolean;
}

interface Family {
  readonly name: 'ipv4' | 'ipv6';
  readonly list: string;
  readonly restore: string;
}

const LOCK_WAIT_SECONDS = 10;
const ATTEMPTS = 3;
/** Which chain each jump of ours leads to; other jumps to our chains are somebody else's. */
const JUMPS: ReadonlyMap<string, string> = new Map([
  ['FORWARD', 'POSTERN-FORWARD'],
  ['INPUT', 'POSTERN-INPUT'],
  ['OUTPUT', 'POSTERN-OUTPUT'],
  ['POSTROUTING', 'POSTERN-SAVE'],
]);

/**
 * Loads the rules, a family in one transaction, in place of those that stand. Both families are tested before either is
 * changed, and both are as they were when one fails. Throws RulesError.
 */
export async function installRules(texts: RuleTexts, options: InstallOptions = {}): Promise<void> {
  const run = options.run ?? runCommand;
  const families = findFamilies(options);
  for (const family of families) {
    const text = replaceStanding(texts[family.name], await listMangle(family, run));
    const test = await run(family.restore, ['--noflush', '--wait', String(LOCK_WAIT_SECONDS), '--test'], text);
    if (test.code !== 0) throw explain(family.restore, test.stderr);
  }
  const changed: { readonly family: Family; readonly before: readonly string[] }[] = [];
  try {
    for (const family of families) {
      const before = await listMangle(family, run);
      await change(family, run, (standing) => replaceStanding(texts[family.name], standing));
      changed.push({ family, before });
    }
  } catch (error) {
    // A test does not try everything: iptables-nft leaves unknown targets to the kernel.
    for (const { family, before } of changed) await change(family, run, (standing) => undoText(before, standing));
    throw error;
  }
}

/** Takes out Postern's jumps and chains and nothing else; nothing to do is not an error. */
export async function removeRules(options: InstallOptions = {}): Promise<void> {
  const run = options.run ?? runCommand;
  for (const family of findFamilies(options)) await change(family, run, removalText);
}

/** Whether any chain of Postern stands, in either family. */
export async function rulesStand(options: InstallOptions = {}): Promise<boolean> {
  const run = options.run ?? runCommand;
  for (const family of findFamilies(options)) {
    if (standingChains(await listMangle(family, run)).length > 0) return true;
  }
  return false;
}

/** `text` with the jumps that stand taken out first, so that there is one of each afterwards. */
export function replaceStanding(text: string, standing: readonly string[]): string {
  const deletions = deleteJumps(standing);
  const lines = text.split('\n');
  const firstRule = lines.findIndex((line) => line.startsWith('-') || line === 'COMMIT');
  return [...lines.slice(0, firstRule), ...deletions, ...lines.slice(firstRule)].join('\n');
}

/** What takes out everything of Postern's that stands; undefined when nothing does. */
export function removalText(standing: readonly string[]): string | undefined {
  const chains = standingChains(standing);
  if (chains.length === 0) return undefined;
  const lines = [
    '*mangle',
    ...deleteJumps(standing),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
    'COMMIT',
  ];
  return `${lines.join('\n')}\n`;
}

/** What brings back the chains and jumps of `before`, a listing. */
function undoText(before: readonly string[], standing: readonly string[]): string | undefined {
  const chains = standingChains(before);
  if (chains.length === 0) return removalText(standing);
  const contents = before.filter((line) => chains.some((chain) => line.startsWith(`-A ${chain} `)));
  const jumps = before.filter(isOwnJump).map((line) => line.replace('-A POSTROUTING', '-I POSTROUTING'));
  const lines = ['*mangle', ...CHAINS.map((chain) => `:${chain} - [0:0]`), ...contents, ...jumps, 'COMMIT'];
  return replaceStanding(`${lines.join('\n')}\n`, standing);
}

function deleteJumps(standing: readonly string[]): readonly string[] {
  return standing.filter(isOwnJump).map((line) => line.replace(/^-A /, '-D '));
}

function isOwnJump(line: string): boolean {
  const match = /^-A (\S+) .*-j (\S+)$/.exec(line);
  return match?.[1] !== undefined && JUMPS.get(match[1]) === match[2];
}

function standingChains(standing: readonly string[]): readonly string[] {
  return CHAINS.filter((chain) => standing.includes(`-N ${chain}`));
}

/**
 * Another program may change the table between our reading and our writing: the transaction fails whole, we look
 * again.
 */
async function change(
  family: Family,
  run: RunCommand,
  textFor: (standing: readonly string[]) => string | undefined,
): Promise<void> {
  let failure = '';
  let tried: string | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const text = textFor(await listMangle(family, run));
    if (text === undefined) return;
    if (text === tried) break;
    const result = await run(family.restore, ['--noflush', '--wait', String(LOCK_WAIT_SECONDS)], text);
    if (result.code === 0) return;
    failure = result.stderr;
    tried = text;
  }
  throw explain(family.restore, failure);
}

async function listMangle(family: Family, run: RunCommand): Promise<readonly string[]> {
  const listing = await run(family.list, ['--wait', String(LOCK_WAIT_SECONDS), '-t', 'mangle', '-S']);
  if (listing.code !== 0) throw explain(family.list, listing.stderr);
  return listing.stdout.split('\n');
}

function findFamilies(options: InstallOptions): readonly Family[] {
  const families = [findFamily('ipv4', 'iptables')];
  if (options.ipv6 ?? kernelSpeaksIpv6()) families.push(findFamily('ipv6', 'ip6tables'));
  return families;
}

/** A hardened service sees of /proc its own folder only. Where not even that can be read, IPv6 must be guarded. */
function kernelSpeaksIpv6(): boolean {
  return !existsSync('/proc/self/net') || existsSync('/proc/self/net/if_inet6');
}

function findFamily(name: Family['name'], program: string): Family {
  const list = findProgram(program);
  const restore = findProgram(`${program}-restore`);
  if (list !== undefined && restore !== undefined) return { name, list, restore };
  const missing = list === undefined ? program : `${program}-restore`;
  throw new RulesError(`${missing} is not installed, so ${name} mail cannot be steered: apt install iptables`);
}

function explain(program: string, stderr: string): RulesError {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const said = lines.slice(0, 3).join(' ').slice(0, 400) || 'it ended without a word';
  if (/can't open lock file/i.test(stderr)) {
    const remedy = 'systemd-tmpfiles --create postern.conf opens it for the group postern';
    return new RulesError(`${program} may not open its lock file (${remedy}): ${said}`);
  }
  if (/xtables lock/i.test(stderr)) {
    return new RulesError(`${program} could not have the lock /run/xtables.lock, another program holds it: ${said}`);
  }
  if (/permission denied|operation not permitted|you must be root/i.test(stderr)) {
    return new RulesError(`${program} needs the capability CAP_NET_ADMIN: ${said}`);
  }
  return new RulesError(`${program}: ${said}`);
}
