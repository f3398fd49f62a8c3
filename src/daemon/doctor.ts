import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadAddon, loadPatterns } from '../native/addon.ts';
import { rulesFor } from '../netfilter/rules.ts';
import { findProgram, runCommand } from '../netfilter/run-command.ts';
import { synProxyText } from '../netfilter/syn-proxy-rules.ts';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import {
  checkAddon,
  checkCapabilities,
  checkIpv6,
  checkKernel,
  checkNode,
  checkOptionalRules,
  checkPatterns,
  checkPrograms,
  checkStore,
  checkSysctls,
  type Finding,
  type Machine,
} from './doctor-checks.ts';
import { isWritable, tryPatterns } from './doctor-trials.ts';
import { STATE_DIR_DEFAULT } from './options.ts';

const USAGE = 'usage: postern doctor [--queue FIRST] [--state-dir DIR] [--json]';
const QUEUE_MAX = 65_535;

/**
 * `postern doctor`: prints what this machine lacks and the command that mends it. Answers the exit code: 0 when Postern
 * can work here, 1 when not, 2 for wrong usage. Changes nothing.
 */
export async function runDoctor(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  if (options === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const findings = await diagnose(THIS_MACHINE, options);
  process.stdout.write(options.json ? `${JSON.stringify(findings)}\n` : printFindings(findings));
  return findings.some((finding) => finding.level === 'fault') ? 1 : 0;
}

/** All checks, in the order of what stands on what. */
export async function diagnose(
  machine: Machine,
  { queue, stateDir }: { readonly queue: number; readonly stateDir: string },
): Promise<readonly Finding[]> {
  const rulesOf = (configuration: Configuration) =>
    rulesFor({ configuration, firstQueue: queue, workers: 2, hashKey: 1 });
  const rules = rulesOf(EVERY_KIND_OF_RULE);
  const proxied = rulesOf(SYN_PROXY);
  const flooded = (family: 'ipv4' | 'ipv6') => synProxyText(SYN_PROXY, FLOODED, { family, chain: false, jump: false });
  const zoned = rulesOf(ZONED);
  return [
    checkNode(machine),
    ...checkAddon(machine, queue),
    await checkPatterns(machine),
    await checkStore(machine, stateDir),
    ...checkCapabilities(machine),
    ...checkPrograms(machine),
    ...(await checkKernel(machine, rules)),
    ...(await checkOptionalRules(machine, {
      ...{ subject: 'SYNPROXY', use: 'postern syn-proxy', modules: 'ipt_SYNPROXY ip6t_SYNPROXY xt_CT xt_addrtype' },
      ipv4: proxied.ipv4 + flooded('ipv4'),
      ipv6: proxied.ipv6 + flooded('ipv6'),
    })),
    ...(await checkOptionalRules(machine, {
      ...{ subject: 'rules of zones', use: 'zone-pair security with police', modules: 'xt_hashlimit xt_length' },
      ...zoned,
    })),
    checkIpv6(machine),
    ...checkSysctls(machine),
  ];
}

export function printFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((finding) => finding.subject.length));
  const words = { good: 'ok    ', advice: 'advice', fault: 'FAULT ' } as const;
  const lines = findings.map((finding) => {
    const line = `${words[finding.level]}  ${finding.subject.padEnd(width)}  ${finding.detail}`;
    return finding.remedy === undefined ? line : `${line}\n${' '.repeat(width + 10)}-> ${finding.remedy}`;
  });
  const faults = findings.filter((finding) => finding.level === 'fault').length;
  const summary = faults === 0 ? 'Postern can work here.' : `${faults} fault(s) to mend before Postern can work here.`;
  return `${[...lines, summary].join('\n')}\n`;
}

interface DoctorOptions {
  readonly queue: number;
  readonly stateDir: string;
  readonly json: boolean;
}

function parseOptions(argv: readonly string[]): DoctorOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        queue: { type: 'string', default: '0' },
        'state-dir': { type: 'string', default: STATE_DIR_DEFAULT },
        json: { type: 'boolean', default: false },
      },
    });
    const queue = /^\d{1,5}$/.test(values.queue) ? Number(values.queue) : Number.NaN;
    return queue < QUEUE_MAX ? { queue, stateDir: values['state-dir'], json: values.json } : undefined;
  } catch {
    return undefined;
  }
}

const ANYWHERE = { address: '0.0.0.0', wildcard: '255.255.255.255' };

/** Mail, whole transports with the router's own traffic, and an access list that counts, logs and looks at headers. */
const SYN_PROXY: Configuration = {
  ...EMPTY_CONFIGURATION,
  rules: [{ name: 'MAIL', protocols: [{ protocol: 'smtp' }] }],
  interfaces: [{ name: 'any', inspectIn: 'MAIL' }],
  postern: { synProxy: 'aggressive' },
};
const FLOODED = ['192.0.2.25', '2001:db8::25'].map((address) => ({ address, answers: true }));

/** Two zones and the router itself, with classes that are inspected at a rate, dropped and told of. */
const ZONED: Configuration = {
  ...EMPTY_CONFIGURATION,
  zones: [{ name: 'out' }, { name: 'in' }],
  interfaces: [
    { name: 'doctor0', zone: 'out' },
    { name: 'doctor1', zone: 'in' },
  ],
  classMaps: [
    { name: 'C', combine: 'match-any', matches: [{ words: ['protocol', 'smtp'] }, { words: ['protocol', 'udp'] }] },
  ],
  policyMaps: [
    {
      name: 'P',
      classes: [
        { name: 'C', actions: [['inspect'], ['police', 'rate', '8000', 'burst', '1000']] },
        { name: 'class-default', actions: [['drop', 'log']] },
      ],
    },
  ],
  zonePairs: [
    { name: 'OUT-IN', source: 'out', destination: 'in', policy: 'P' },
    { name: 'OUT-SELF', source: 'out', destination: 'self', policy: 'P' },
  ],
};

const EVERY_KIND_OF_RULE: Configuration = {
  ...EMPTY_CONFIGURATION,
  rules: [
    { name: 'MAIL', protocols: [{ protocol: 'smtp' }, { protocol: 'imap' }] },
    {
      name: 'ALL',
      protocols: [{ protocol: 'tcp', routerTraffic: true }, { protocol: 'udp' }, { protocol: 'icmp' }],
    },
  ],
  accessLists: [
    {
      name: '199',
      kind: 'extended',
      entries: [
        { kind: 'rule', action: 'deny', protocol: 'tcp', source: ANYWHERE, destination: ANYWHERE, log: true },
        { kind: 'rule', action: 'permit', protocol: 'ip', source: ANYWHERE, destination: ANYWHERE, rest: 'dscp ef' },
        { kind: 'rule', action: 'permit', protocol: 'ip', source: ANYWHERE, destination: ANYWHERE, rest: 'tos 4' },
      ],
    },
  ],
  interfaces: [
    { name: 'any', inspectIn: 'MAIL' },
    { name: 'doctor', inspectIn: 'ALL', accessGroupIn: '199', accessGroupOut: '199' },
  ],
};

const THIS_MACHINE: Machine = {
  nodeVersion: process.version,
  readFile(path) {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      return undefined;
    }
  },
  fileExists: existsSync,
  findProgram,
  queueOwner: (queue) => loadAddon().queueOwner(queue),
  tryPatterns: async () => tryPatterns(loadPatterns()),
  isWritable,
  async tryStore() {
    await import('lmdb');
    return undefined;
  },
  async tryRules(program, text) {
    const unshare = findProgram('unshare');
    if (unshare === undefined) return 'unshare (util-linux) is not installed, so nothing could be tried';
    const result = await runCommand(unshare, ['--net', program, '--noflush'], text);
    if (result.code === 0) return undefined;
    return result.stderr.trim().split('\n')[0]?.slice(0, 300) || `${program} failed`;
  },
};
