/** What a check found. `fault`: Postern cannot work so. `advice`: it works, and could work better. */
export interface Finding {
  readonly subject: string;
  readonly level: 'good' | 'advice' | 'fault';
  readonly detail: string;
  /** The command that mends it. */
  readonly remedy?: string;
}

/** The machine as the checks see it. Nothing here changes it. */
export interface Machine {
  readonly nodeVersion: string;
  /** The text of a file; undefined when there is none or it may not be read. */
  readFile(path: string): string | undefined;
  /** Whether there is such a file, readable or not. */
  fileExists(path: string): boolean;
  /** The absolute path of a system program. */
  findProgram(name: string): string | undefined;
  /** Loads the native addon and asks who serves the queue. Throws an error that says why it cannot be loaded. */
  queueOwner(queue: number): string | null;
  /**
   * Loads the text into a network namespace that ends with the trial; undefined when it went well, else what was
   * said.
   */
  tryRules(program: string, text: string): Promise<string | undefined>;
  /** Compiles patterns and matches with them; undefined when it went well, else what went wrong. */
  tryPatterns(): Promise<string | undefined>;
  /** Whether files can be made under a directory, which may have to be made itself. */
  isWritable(directory: string): boolean;
  /** Loads the library behind the store; undefined when it can be loaded, else why not. */
  tryStore(): Promise<string | undefined>;
}

const QUEUE_TABLE = '/proc/self/net/netfilter/nfnetlink_queue';
const NODE_MAJOR_MIN = 20;
const NODE_MINOR_MIN = 19;
const RMEM_MAX_BYTES_MIN = 8_388_608;
const CONNTRACK_ENTRIES_MIN = 65_536;
/** capabilities(7): bit numbers. */
const CAPABILITIES = [
  { name: 'CAP_NET_ADMIN', bit: 12n, use: 'queues and rules' },
  { name: 'CAP_NET_RAW', bit: 13n, use: 'refusals' },
] as const;

export function checkNode(machine: Machine): Finding {
  const [major = 0, minor = 0] = machine.nodeVersion.replace(/^v/, '').split('.').map(Number);
  const good = major > NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor >= NODE_MINOR_MIN);
  const subject = 'Node.js';
  if (good) return { subject, level: 'good', detail: machine.nodeVersion };
  const detail = `${machine.nodeVersion} is too old: ${NODE_MAJOR_MIN}.${NODE_MINOR_MIN} or later is needed`;
  return { subject, level: 'fault', detail, remedy: 'apt install nodejs (Debian 13 or later)' };
}

export function checkAddon(machine: Machine, queue: number): readonly Finding[] {
  try {
    const owner = machine.queueOwner(queue);
    const loaded: Finding = { subject: 'native addon', level: 'good', detail: 'loads' };
    return [loaded, queueFinding(machine, queue, owner)];
  } catch (error) {
    return [{ subject: 'native addon', level: 'fault', detail: firstLine(error), remedy: 'npm run build:native' }];
  }
}

function queueFinding(machine: Machine, queue: number, owner: string | null): Finding {
  const subject = `queue ${queue}`;
  if (owner === null && machine.fileExists(QUEUE_TABLE) && machine.readFile(QUEUE_TABLE) === undefined) {
    const detail = 'who serves it can be seen by root only';
    return { subject, level: 'advice', detail, remedy: 'run postern doctor as root' };
  }
  if (owner === null) return { subject, level: 'good', detail: 'free' };
  if (/\((?:node|postern)\)/.test(owner)) return { subject, level: 'good', detail: `served by ${owner}` };
  if (!owner.includes('(')) {
    // Whose port it is can be seen by root only.
    return {
      subject,
      level: 'advice',
      detail: `served by ${owner}`,
      remedy: 'run postern doctor as root to see by whom',
    };
  }
  const remedy = `end that program, or run postern with --queue ${queue + 100}`;
  return { subject, level: 'fault', detail: `taken by ${owner}`, remedy };
}

/** Application policies look for patterns in mail (`parameter-map type regex`). */
export async function checkPatterns(machine: Machine): Promise<Finding> {
  const subject = 'pattern engine';
  const trouble = await machine.tryPatterns().catch(firstLine);
  if (trouble === undefined) return { subject, level: 'good', detail: 'compiles and matches' };
  return { subject, level: 'fault', detail: trouble, remedy: 'apt install libhyperscan5, then npm run build:native' };
}

/** Where learned senders are kept. Without it they are learned until the daemon ends. */
export async function checkStore(machine: Machine, directory: string): Promise<Finding> {
  const subject = 'state directory';
  if (!machine.isWritable(directory)) {
    const detail = `${directory} cannot be written here: senders are learned in memory only`;
    return { subject, level: 'advice', detail, remedy: `install -d -m 0750 ${directory}` };
  }
  const trouble = await machine.tryStore().catch(firstLine);
  if (trouble === undefined) return { subject, level: 'good', detail: `${directory} can be written` };
  const detail = `senders are learned in memory only: ${trouble}`;
  return { subject, level: 'advice', detail, remedy: 'npm ci' };
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}

export function checkCapabilities(machine: Machine): readonly Finding[] {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(machine.readFile('/proc/self/status') ?? '')?.[1];
  return CAPABILITIES.map(({ name, bit, use }) => {
    const has = effective !== undefined && (BigInt(`0x${effective}`) & (1n << bit)) !== 0n;
    if (has) return { subject: name, level: 'good', detail: `is there, for ${use}` };
    return {
      subject: name,
      level: 'fault',
      detail: `is missing here; it is needed for ${use}`,
      remedy: 'systemctl start postern (the unit grants it), or run as root',
    };
  });
}

export function checkPrograms(machine: Machine): readonly Finding[] {
  const programs = ['iptables', 'iptables-restore'];
  if (speaksIpv6(machine)) programs.push('ip6tables', 'ip6tables-restore');
  return programs.map((name) => {
    const path = machine.findProgram(name);
    if (path !== undefined) return { subject: name, level: 'good', detail: path };
    return { subject: name, level: 'fault', detail: 'is not installed', remedy: 'apt install iptables' };
  });
}

/** Loads every kind of rule that Postern uses, where it does no harm. */
export async function checkKernel(
  machine: Machine,
  rules: { ipv4: string; ipv6: string },
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const families: [string, string][] = [['iptables-restore', rules.ipv4]];
  if (speaksIpv6(machine)) families.push(['ip6tables-restore', rules.ipv6]);
  for (const [program, text] of families) {
    const path = machine.findProgram(program);
    if (path === undefined) continue;
    const subject = `rules of ${program}`;
    const refusal = await machine.tryRules(path, text);
    if (refusal === undefined) findings.push({ subject, level: 'good', detail: 'every match and target is there' });
    else findings.push({ subject, level: 'fault', detail: refusal, remedy: remedyForRules(refusal) });
  }
  if (!machine.fileExists(QUEUE_TABLE)) {
    const detail = 'the kernel has no packet queues, or its module is not loaded';
    findings.push({ subject: 'nfnetlink_queue', level: 'fault', detail, remedy: 'modprobe nfnetlink_queue' });
  } else findings.push({ subject: 'nfnetlink_queue', level: 'good', detail: 'is loaded' });
  return findings;
}

/** Rules that only some configurations need. */
export interface OptionalRules {
  readonly subject: string;
  /** What needs them, as a user would name it. */
  readonly use: string;
  readonly modules: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Whether a part of the language would work here that Postern can do without. */
export async function checkOptionalRules(machine: Machine, rules: OptionalRules): Promise<readonly Finding[]> {
  const { subject, use, modules } = rules;
  const families: [string, string][] = [['iptables-restore', rules.ipv4]];
  if (speaksIpv6(machine)) families.push(['ip6tables-restore', rules.ipv6]);
  for (const [program, text] of families) {
    const path = machine.findProgram(program);
    if (path === undefined) return [];
    const refusal = await machine.tryRules(path, text);
    if (refusal === undefined) continue;
    const detail = `${use} cannot work: ${refusal}`;
    return [{ subject, level: 'advice', detail, remedy: `modprobe -a ${modules}` }];
  }
  return [{ subject, level: 'good', detail: `is there, for ${use}` }];
}

function remedyForRules(refusal: string): string {
  if (/not permitted|permission|must be root/i.test(refusal)) return 'run postern doctor as root';
  return 'modprobe -a xt_NFQUEUE xt_bpf xt_connmark xt_conntrack xt_mark xt_multiport xt_LOG xt_limit xt_comment xt_addrtype xt_dscp';
}

export function checkSysctls(machine: Machine): readonly Finding[] {
  return [
    atLeast(machine, { name: 'net.core.rmem_max', least: RMEM_MAX_BYTES_MIN, set: 33_554_432, unit: 'bytes' }),
    atLeast(machine, {
      name: 'net.netfilter.nf_conntrack_max',
      least: CONNTRACK_ENTRIES_MIN,
      set: 262_144,
      unit: 'connections',
    }),
    atLeast(machine, { name: 'net.netfilter.nf_conntrack_tcp_be_liberal', least: 1, set: 1, unit: '' }),
  ];
}

interface SysctlWish {
  readonly name: string;
  readonly least: number;
  /** What the remedy sets. */
  readonly set: number;
  readonly unit: string;
}

function atLeast(machine: Machine, wish: SysctlWish): Finding {
  const text = machine.readFile(`/proc/sys/${wish.name.replaceAll('.', '/')}`);
  const remedy = `sysctl -w ${wish.name}=${wish.set}`;
  if (text === undefined) {
    return { subject: wish.name, level: 'advice', detail: 'cannot be read (nf_conntrack not loaded?)', remedy };
  }
  const value = Number(text.trim());
  const detail = `${value} ${wish.unit}`.trim();
  if (value >= wish.least) return { subject: wish.name, level: 'good', detail };
  return { subject: wish.name, level: 'advice', detail: `${detail}; ${wish.least} or more is better`, remedy };
}

export function checkIpv6(machine: Machine): Finding {
  const detail = speaksIpv6(machine) ? 'is on and guarded like IPv4' : 'is off in this kernel; nothing to guard';
  return { subject: 'IPv6', level: 'good', detail };
}

/** A /proc that hides what we ask for must not switch IPv6 off. */
function speaksIpv6(machine: Machine): boolean {
  return (
    machine.readFile('/proc/self/net/dev') === undefined || machine.readFile('/proc/self/net/if_inet6') !== undefined
  );
}
