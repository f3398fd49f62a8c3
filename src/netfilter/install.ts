import { existsSync } from 'node:fs';
import { keepCounts } from './counters.ts';
import { isOwnChain, type RuleTexts } from './rules.ts';
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
  readonly save: string | undefined;
}

const LOCK_WAIT_SECONDS = 10;
const ATTEMPTS = 3;
/** With counters: lines may begin with the numbers to go on from. */
const RESTORE = ['--noflush', '--counters', '--wait', String(LOCK_WAIT_SECONDS)];
/** Which chain each jump of ours leads to; other jumps to our chains are somebody else's. */
const JUMPS: ReadonlyMap<string, string> = new Map([
  ['FORWARD', 'POSTERN-FORWARD'],
  ['INPUT', 'POSTERN-INPUT'],
  ['OUTPUT', 'POSTERN-OUTPUT'],
  ['POSTROUTING', 'POSTERN-SAVE'],
]);

/**
 * Loads the rules, a family in one transaction, in place of those that stand; entries of access lists that stood go on
 * counting from where they were. Both families are tested before either is
 * changed, and both are as they were when one fails. Throws RulesError.
 */
export async function installRules(texts: RuleTexts, options: InstallOptions = {}): Promise<void> {
  const run = options.run ?? runCommand;
  const families = findFamilies(options);
  for (const family of families) {
    const text = replaceStanding(texts[family.name], await listMangle(family, run));
    const test = await run(family.restore, [...RESTORE, '--test'], text);
    if (test.code !== 0) throw explain(family.restore, test.stderr);
  }
  const changed: { readonly family: Family; readonly before: readonly string[] }[] = [];
  try {
    for (const family of families) {
      const before = await listMangle(family, run);
      const text = keepCounts(texts[family.name], await saveMangle(family, run));
      await change(family, run, (standing) => replaceStanding(text, standing));
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

/**
 * `text` with the jumps that stand taken out first, so that there is one of each afterwards, and with the chains that
 * it does not have any more.
 */
export function replaceStanding(text: string, standing: readonly string[]): string {
  const lines = text.split('\n');
  const gone = standingChains(standing).filter((chain) => !lines.includes(`:${chain} - [0:0]`));
  const changes = [...deleteJumps(standing), ...deleteChains(gone)];
  const firstRule = lines.findIndex((line) => /^(-|\[\d|COMMIT$)/.test(line));
  return [...lines.slice(0, firstRule), ...changes, ...lines.slice(firstRule)].join('\n');
}

/** What takes out everything of Postern's that stands; undefined when nothing does. */
export function removalText(standing: readonly string[]): string | undefined {
  const chains = standingChains(standing);
  if (chains.length === 0) return undefined;
  const lines = ['*mangle', ...deleteJumps(standing), ...deleteChains(chains), 'COMMIT'];
  return `${lines.join('\n')}\n`;
}

/** What brings back the chains and jumps of `before`, a listing. */
function undoText(before: readonly string[], standing: readonly string[]): string | undefined {
  const chains = standingChains(before);
  if (chains.length === 0) return removalText(standing);
  const contents = before.filter((line) => chains.some((chain) => line.startsWith(`-A ${chain} `)));
  const jumps = before.filter(isOwnJump).map((line) => line.replace('-A POSTROUTING', '-I POSTROUTING'));
  const lines = ['*mangle', ...chains.map((chain) => `:${chain} - [0:0]`), ...contents, ...jumps, 'COMMIT'];
  return replaceStanding(`${lines.join('\n')}\n`, standing);
}

/** Emptied first, all of them: they may lead to each other. */
function deleteChains(chains: readonly string[]): readonly string[] {
  return [...chains.map((chain) => `-F ${chain}`), ...chains.map((chain) => `-X ${chain}`)];
}

function deleteJumps(standing: readonly string[]): readonly string[] {
  return standing.filter(isOwnJump).map((line) => line.replace(/^-A /, '-D '));
}

function isOwnJump(line: string): boolean {
  const match = /^-A (\S+) .*-j (\S+)$/.exec(line);
  return match?.[1] !== undefined && JUMPS.get(match[1]) === match[2];
}

function standingChains(standing: readonly string[]): readonly string[] {
  return standing
    .filter((line) => line.startsWith('-N '))
    .map((line) => line.slice('-N '.length))
    .filter(isOwnChain);
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
    const result = await run(family.restore, RESTORE, text);
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

/** What its counters say; empty when they cannot be read, which costs the counts and nothing else. */
async function saveMangle({ save }: Family, run: RunCommand): Promise<string> {
  if (save === undefined) return '';
  const saved = await run(save, ['--counters', '--table', 'mangle']);
  return saved.code === 0 ? saved.stdout : '';
}

function findFamilies(options: InstallOptions): readonly Family[] {
  const families = [findFamily('ipv4', 'iptables')];
  if (options.ipv6 ?? kernelSpeaksIpv6()) families.push(findFamily('ipv6', 'ip6tables'));
  return families;
}

/** A hardened service sees of /proc its own folder only. Where not even that can be read, IPv6 must be guarded. */
export function kernelSpeaksIpv6(): boolean {
  return !existsSync('/proc/self/net') || existsSync('/proc/self/net/if_inet6');
}

function findFamily(name: Family['name'], program: string): Family {
  const list = findProgram(program);
  const restore = findProgram(`${program}-restore`);
  if (list !== undefined && restore !== undefined) return { name, list, restore, save: findProgram(`${program}-save`) };
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
