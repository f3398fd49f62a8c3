import { combinePolicyStatistics } from '../engine/policy-counters.ts';
import type { PolicyStatistics } from '../firewall/snapshot.ts';
import { type ZoneMatches, zoneMatches } from '../netfilter/counters.ts';
import type { Configuration } from '../policy/configuration.ts';
import { usesZones } from '../policy/zone-decision.ts';
import { zoneMatchKey } from '../policy/zone-labels.ts';
import type { WorkerPool } from './worker-pool.ts';

type Asking = Pick<WorkerPool, 'ask'>;

/** What zone policies have met: sessions and matches by the workers' counts, packets by the kernel's. */
export class PolicyReports {
  readonly #pool: Asking;
  readonly #read: () => Promise<ZoneMatches>;
  #zoned = false;
  /** The kernel's counts when they were cleared: its rules go on counting. */
  readonly #before = new Map<string, { readonly packets: number; readonly bytes: number }>();

  constructor(pool: Asking, read: () => Promise<ZoneMatches> = zoneMatches) {
    this.#pool = pool;
    this.#read = read;
  }

  configure(configuration: Configuration): void {
    this.#zoned = usesZones(configuration);
  }

  async statistics(): Promise<PolicyStatistics> {
    const replies = await this.#pool.ask((request) => ({ kind: 'policyStatistics', request }));
    return combinePolicyStatistics(
      replies.flatMap((reply) => (reply.kind === 'policyStatistics' ? [reply.statistics] : [])),
    );
  }

  /** Packets by `zoneMatchKey`, since they were cleared. */
  async matches(): Promise<ZoneMatches> {
    if (!this.#zoned) return new Map();
    const now = await this.#read();
    return new Map([...now].map(([key, count]) => [key, this.#since(key, count)] as const));
  }

  /** Counts of a zone-pair, or of all, begin again. */
  async clear(zonePair: string | undefined): Promise<void> {
    const which = zonePair === undefined ? {} : { zonePair };
    await this.#pool.ask((request) => ({ kind: 'clearPolicyStatistics', request, ...which }));
    if (!this.#zoned) return;
    const named = zonePair === undefined ? '' : zoneMatchKey(zonePair, '', 'inspect').split(' ', 1)[0];
    for (const [key, count] of await this.#read()) {
      if (zonePair === undefined || key.startsWith(`${named} `)) this.#before.set(key, count);
    }
  }

  /** Ends the sessions that a zone-pair inspects, this one or any; answers how many there were. */
  async clearSessions(zonePair: string | undefined): Promise<number> {
    const which = zonePair === undefined ? {} : { zonePair };
    const replies = await this.#pool.ask((request) => ({ kind: 'clearZoneSessions', request, ...which }));
    return replies.reduce((sum, reply) => sum + (reply.kind === 'count' ? reply.count : 0), 0);
  }

  /** Counters that fell, or rules that were loaded anew, begin again. */
  #since(key: string, now: { readonly packets: number; readonly bytes: number }): { packets: number; bytes: number } {
    const before = this.#before.get(key);
    if (before === undefined || now.packets < before.packets) {
      this.#before.delete(key);
      return now;
    }
    return { packets: now.packets - before.packets, bytes: now.bytes - before.bytes };
  }
}
