/**
 * Runs tasks one after the other, in the order in which they were asked for. A change of the configuration reads, loads
 * and installs in several steps; two at once, or a stop in the middle of one, would leave the rules of neither.
 */
export class Sequence {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as the task does; a task that fails does not keep the next one from running. */
  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
