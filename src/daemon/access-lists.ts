import { type AccessCounts, clearAccessCounts, readAccessCounts } from '../netfilter/counters.ts';
import { type RunCommand, runCommand } from '../netfilter/run-command.ts';
import type { Configuration } from '../policy/configuration.ts';

/** What the kernel's access lists have decided, read when somebody asks. */
export class AccessLists {
  readonly #run: RunCommand;
  #bound = false;
  /** Denied when the statistics were cleared: the lists themselves go on counting, as IOS keeps the two apart. */
  #deniedBefore = 0;

  constructor(run: RunCommand = runCommand) {
    this.#run = run;
  }

  configure({ interfaces }: Configuration): void {
    this.#bound = interfaces.some(
      ({ accessGroupIn, accessGroupOut }) => accessGroupIn !== undefined || accessGroupOut !== undefined,
    );
  }

  async matches(): Promise<AccessCounts['matches']> {
    return (await this.#read()).matches;
  }

  /** Packets denied since the statistics were cleared. */
  async denied(): Promise<number> {
    const { denied } = await this.#read();
    // Counters that were set back, or rules that were loaded anew, begin again.
    if (denied < this.#deniedBefore) this.#deniedBefore = 0;
    return denied - this.#deniedBefore;
  }

  async clearStatistics(): Promise<void> {
    this.#deniedBefore = (await this.#read()).denied;
  }

  /** `clear access-list counters`; answers whether there was anything to clear. */
  clearMatches(list: string | undefined): Promise<boolean> {
    return this.#bound ? clearAccessCounts(list, this.#run) : Promise.resolve(false);
  }

  async #read(): Promise<AccessCounts> {
    return this.#bound ? await readAccessCounts(this.#run) : { denied: 0, matches: new Map() };
  }
}
