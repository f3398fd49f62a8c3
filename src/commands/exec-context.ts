import type { SessionSnapshot, Statistics } from '../firewall/snapshot.ts';
import type { Configuration } from '../policy/configuration.ts';

/** What the exec commands (`show`, `clear`) need of the running daemon. */
export interface ExecContext {
  readonly configuration: Configuration;
  /** What the configuration was printed from, for `show startup-config`. */
  readonly configurationFile: string;
  sessions(): Promise<readonly SessionSnapshot[]>;
  statistics(): Promise<Statistics>;
  /** Ends the session with this id (as `show` prints it), or all; answers how many there were. */
  clearSessions(id: string | 'all'): Promise<number>;
  clearStatistics(): Promise<void>;
  /** `copy startup-config running-config` and reload: answers the errors, none when it took effect. */
  reload(): Promise<readonly string[]>;
}
