import { networkInterfaces } from 'node:os';
import { formatAddress, parseAddress } from '../engine/address.ts';
import {
  calmSynsASecond,
  mayTake,
  NO_PROXIES,
  readProxies,
  type SynProxyDecision,
  type SynProxyState,
  type SynProxyStep,
  startProxies,
} from '../firewall/syn-proxy.ts';
import { SYN_PROXY_SHUNNED_MAX } from '../limits.ts';
import type { Logger } from '../log/log-message.ts';
import { readSynCounts, removeSynProxy, type SynProxyRulesOptions, setSynProxy } from '../netfilter/syn-proxy.ts';
import { mayProxy, proxiedPorts } from '../netfilter/syn-proxy-rules.ts';
import type { Configuration } from '../policy/configuration.ts';
import { effectiveGlobals } from '../policy/defaults.ts';

/** How often the counters are read while a proxy stands: calm is seconds, and a reading is two small programs. */
const READ_MS = 2_000;

export interface SynProxyOptions {
  readonly logger: Logger;
  readonly rules?: SynProxyRulesOptions;
  /** Milliseconds of a clock that is never set back. */
  now(): number;
  /** This machine's own addresses. */
  ownAddresses?(): readonly string[];
}

/**
 * Has the kernel answer for flooded servers (`postern syn-proxy aggressive`), as src/firewall/syn-proxy.ts decides.
 * What cannot be had is told once, and the thresholds go on alone.
 */
export class SynProxy {
  readonly #options: SynProxyOptions;
  #configuration: Configuration;
  /** The steering rules stand, with the chains that are filled here. */
  #installed = false;
  #unavailable = false;
  #state: SynProxyState = NO_PROXIES;
  #flooded = new Set<string>();
  readonly #declined = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** One change of rules at a time, in the order of the decisions. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: SynProxyOptions, configuration: Configuration) {
    this.#options = options;
    this.#configuration = configuration;
  }

  /** The steering rules were loaded for this configuration, so the chains are empty now. */
  async installed(configuration: Configuration): Promise<void> {
    const first = !this.#installed;
    this.#configuration = configuration;
    this.#installed = true;
    this.#unavailable = false;
    this.#declined.clear();
    if (!this.#wanted()) this.#endAll();
    if (first || !this.#wanted()) await this.#enqueue(() => this.#remove());
    if (this.#wanted() && this.#state.hosts.size > 0) await this.#apply();
  }

  /** Takes the rules out of the raw table; those of the mangle table go with the others. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#installed) return;
    this.#installed = false;
    this.#state = NO_PROXIES;
    await this.#enqueue(() => this.#remove());
  }

  /** Whether the kernel answers for this server, or would if it is flooded. */
  takes(host: string): boolean {
    if (!this.#installed || this.#unavailable || !this.#wanted()) return false;
    if (!mayTake(this.#state, host, this.#options.now())) return false;
    const own = (this.#options.ownAddresses ?? ownAddresses)().includes(host);
    if (own) this.#decline(host, 'it is an address of this machine');
    return !own;
  }

  /** The gate holds too many half-open sessions of these servers, and has just got more. */
  flooded(hosts: readonly string[]): void {
    const taken = hosts.filter((host) => this.takes(host));
    if (taken.length === 0) return;
    for (const host of taken) this.#flooded.add(host);
    this.#carryOut(startProxies(this.#state, taken, this.#options.now()));
    this.#arm();
  }

  /** Servers that the kernel answers for at the moment. */
  hosts(): readonly string[] {
    return [...this.#state.hosts.keys()];
  }

  /** For tests: what was decided so far has been done. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** Reads the counters and carries out what follows. */
  async read(): Promise<void> {
    const syns = await readSynCounts(this.#options.rules);
    const low = effectiveGlobals(this.#configuration).oneMinuteLow;
    const sample = { syns, flooded: this.#flooded, calmSynsASecond: calmSynsASecond(low) };
    this.#flooded = new Set();
    this.#carryOut(readProxies(this.#state, sample, this.#options.now()));
  }

  #wanted(): boolean {
    return mayProxy(this.#configuration);
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#tick(), READ_MS);
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    await this.#enqueue(() => this.read());
    this.#timer = undefined;
    if (this.#installed && this.#state.hosts.size > 0) this.#arm();
  }

  #carryOut({ state, decisions }: SynProxyStep): void {
    this.#state = state;
    if (decisions.length === 0) return;
    void this.#apply().then(() => {
      if (!this.#unavailable) for (const decision of decisions) this.#tell(decision);
    });
  }

  #apply(): Promise<void> {
    return this.#enqueue(async () => {
      if (!this.#installed || this.#unavailable || !this.#wanted()) return;
      const servers = [...this.#state.hosts].map(([address, { drainsUntilMs }]) => ({
        address,
        answers: drainsUntilMs === undefined,
      }));
      const refusal = await setSynProxy(this.#configuration, servers, this.#options.rules);
      if (refusal === undefined) return;
      this.#unavailable = true;
      const hosts = servers.map(({ address }) => address).join(',');
      this.#state = NO_PROXIES;
      await this.#remove();
      this.#options.logger.log({ id: 'SYN_PROXY_REFUSED', fields: { host: hosts, detail: refusal } });
    });
  }

  async #remove(): Promise<void> {
    const refusal = await removeSynProxy(this.#options.rules);
    if (refusal !== undefined) this.#options.logger.log({ id: 'RULES_FAILED', fields: { detail: refusal } });
  }

  #endAll(): void {
    const nowMs = this.#options.now();
    for (const [host, { sinceMs }] of this.#state.hosts) {
      this.#tell({ kind: 'off', host, seconds: Math.round((nowMs - sinceMs) / 1_000) });
    }
    this.#state = NO_PROXIES;
  }

  #tell(decision: SynProxyDecision): void {
    const { logger } = this.#options;
    const { host } = decision;
    const ports = proxiedPorts(this.#configuration);
    switch (decision.kind) {
      case 'on':
        logger.log({ id: 'SYN_PROXY_ON', fields: { host, ports } });
        return;
      case 'off':
        logger.log({ id: 'SYN_PROXY_OFF', fields: { host, ports, seconds: decision.seconds } });
        return;
      case 'useless':
        this.#decline(host, 'no SYN comes to this address itself, so DNAT leads there');
        return;
      case 'drain':
    }
  }

  /** Told once a server, until the rules are loaded anew. */
  #decline(host: string, detail: string): void {
    if (this.#declined.has(host) || this.#declined.size >= SYN_PROXY_SHUNNED_MAX) return;
    this.#declined.add(host);
    this.#options.logger.log({ id: 'SYN_PROXY_REFUSED', fields: { host, detail } });
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(task).catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      this.#options.logger.log({ id: 'ERROR', fields: { detail: `SYN proxy: ${detail}` } });
    });
    return this.#work;
  }
}

function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return all.flatMap(({ address }) => {
    const octets = parseAddress(address.replace(/%.*$/, ''));
    return octets === undefined ? [] : [formatAddress(octets)];
  });
}
