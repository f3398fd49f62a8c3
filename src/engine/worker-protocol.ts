import type { PolicyStatistics, SessionSnapshot } from '../firewall/snapshot.ts';
import type { LogMessage } from '../log/log-message.ts';
import type { PatternSets } from '../policy/application/pattern-sets.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { LearnedChanges, Learning } from '../policy/learned.ts';
import type { SessionCounts, SessionLimitLayout } from './session-limits.ts';

/** What the main thread and a worker say to each other. Plain data only: it is cloned on its way. */

/** Everything a worker needs to begin. */
export interface WorkerStart {
  readonly host: number;
  /** 0 to 3: goes into its sessions' ids. */
  readonly worker: number;
  readonly settings: WorkerSettings;
  /** What was learned so far; absent: nothing. */
  readonly learned?: LearnedChanges;
  /** What all workers count their sessions in. */
  readonly sessionCounts: SessionCounts;
  /** `POSTERN_TEST_HOOKS`: stalling and crashing on request. */
  readonly testHooks: boolean;
}

export interface WorkerSettings {
  readonly configuration: Configuration;
  readonly hostname: string;
  readonly marks: {
    readonly offloadBoth: number;
    readonly offloadResponder: number;
    readonly clear: number;
    readonly session: number;
  };
  /** The compiled patterns of the configuration; absent: it uses none. */
  readonly patterns?: PatternSets;
  /**
   * A capture tells no interfaces: the first zone-pair of which a class other than class-default matches a flow decides
   * about it, whatever its zones are.
   */
  readonly captureWithoutInterfaces?: boolean;
  /** Absent: no number of sessions is too many. */
  readonly sessionLimits?: SessionLimitLayout;
}

export type ToWorker =
  | { readonly kind: 'configure'; readonly request: number; readonly settings: WorkerSettings }
  | { readonly kind: 'sessions'; readonly request: number }
  | { readonly kind: 'statistics'; readonly request: number }
  | { readonly kind: 'clearSessions'; readonly request: number; readonly id: string }
  /** `clear zone-pair inspect session`: those that this zone-pair inspects, or any. */
  | { readonly kind: 'clearZoneSessions'; readonly request: number; readonly zonePair?: string }
  | { readonly kind: 'clearStatistics'; readonly request: number }
  | { readonly kind: 'policyStatistics'; readonly request: number }
  /** `clear zone-pair counter`: of one zone-pair, or of all. */
  | { readonly kind: 'clearPolicyStatistics'; readonly request: number; readonly zonePair?: string }
  | { readonly kind: 'debug'; readonly on: boolean }
  | { readonly kind: 'learned'; readonly changes: LearnedChanges }
  | { readonly kind: 'stall' }
  | { readonly kind: 'crash' }
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'serving'; readonly rank: string; readonly tookOver: boolean }
  | { readonly kind: 'log'; readonly message: LogMessage }
  | { readonly kind: 'learn'; readonly learned: Learning }
  | { readonly kind: 'debug'; readonly line: string }
  | { readonly kind: 'reply'; readonly request: number; readonly reply: WorkerReply };

export type WorkerReply =
  | { readonly kind: 'sessions'; readonly sessions: readonly SessionSnapshot[] }
  | { readonly kind: 'statistics'; readonly statistics: WorkerStatistics }
  | { readonly kind: 'policyStatistics'; readonly statistics: PolicyStatistics }
  | { readonly kind: 'count'; readonly count: number };

export interface WorkerStatistics {
  /** By native name (native/engine/counters.h). */
  readonly counters: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  readonly masks: Readonly<Record<string, number>>;
}
