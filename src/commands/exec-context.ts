import type { BlockedHost, PolicyStatistics, SessionSnapshot, Statistics } from '../firewall/snapshot.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { LearnedEntry } from '../policy/learned.ts';

/** What the exec commands (`show`, `clear`) need of the running daemon. */
export interface ExecContext {
  readonly configuration: Configuration;
  /** The path of the file that the configuration came from. */
  readonly configurationFile: string;
  /** Postern's version, as `show version` prints it. */
  readonly version: string;
  /** The text of the configuration file as it stands on the disk now, for `show startup-config`. */
  startupText(): Promise<string>;
  sessions(): Promise<readonly SessionSnapshot[]>;
  /** Half-open sessions beyond those that `sessions` lists. */
  unlistedHalfOpen(): number;
  /** Servers that `tcp max-incomplete host … block-time` keeps new connections from. */
  blockedHosts(): readonly BlockedHost[];
  /** Ends the block of this address, or all; answers how many there were. */
  unblock(host: string | 'all'): number;
  /** `undebug all`: ends the debug streams; answers how many there were. */
  endDebug(): number;
  statistics(): Promise<Statistics>;
  /** Packets that each entry of an access list decided, by `entryLabel`; absent where there are no rules to ask. */
  accessMatches?(): Promise<ReadonlyMap<string, number>>;
  /** `clear access-list counters`, of one list or all; answers whether there was anything to clear. */
  clearAccessMatches?(list: string | undefined): Promise<boolean>;
  /** Sessions and matches of the classes of zone policies; absent where nobody counts. */
  policyStatistics?(): Promise<PolicyStatistics>;
  /** Packets that rules of the kernel decided by zone policies, by `zoneMatchKey`; absent where there are none. */
  zoneMatches?(): Promise<ReadonlyMap<string, PacketCount>>;
  /** `clear zone-pair counter`, of one zone-pair or all. */
  clearPolicyStatistics?(zonePair: string | undefined): Promise<void>;
  /** What the action `learn` recorded, last seen first; absent where nobody records it. */
  learned?(): readonly LearnedEntry[];
  /** Forgets a sender, `@` and a domain, a client's address, or `all`; answers how many entries there were. */
  clearLearned?(which: string): number;
  /** Ends the session with this id (as `show` prints it), or all; answers how many there were. */
  clearSessions(id: string | 'all'): Promise<number>;
  /** Ends the sessions that a zone-pair inspects, this one or any; answers how many there were. */
  clearZoneSessions?(zonePair: string | undefined): Promise<number>;
  clearStatistics(): Promise<void>;
  /** `copy startup-config running-config` and reload: answers the errors, none when it took effect. */
  reload(): Promise<readonly string[]>;
  /** `write memory`: puts this text into the configuration file, whole or not at all; answers the errors. */
  save(text: string): Promise<readonly string[]>;
}

/** Packets that went through a rule of the kernel, with their octets. */
export interface PacketCount {
  readonly packets: number;
  readonly bytes: number;
}
