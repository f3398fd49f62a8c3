import { readDebugCommand } from '../commands/debug-command.ts';
import { debugFilter } from './debug-filter.ts';

/** Who follows a debug stream. */
export interface DebugReader {
  line(text: string): void;
  /** Nothing more will come. */
  end(): void;
}

/** The debug streams that are open: each line of the workers goes to those that asked for its kind. */
export class DebugStreams {
  readonly #readers = new Map<DebugReader, (line: string) => boolean>();
  readonly #switch: (on: boolean) => void;

  /** `turn` tells the workers whether anybody listens: telling costs. */
  constructor(turn: (on: boolean) => void) {
    this.#switch = turn;
  }

  /** Answers how to stop; or the error, when this is no debug command. */
  subscribe(command: string, reader: DebugReader): (() => void) | { readonly error: string } {
    const selection = readDebugCommand(command);
    if ('error' in selection) return selection;
    this.#readers.set(reader, debugFilter(selection));
    this.#switch(true);
    return () => this.#leave(reader);
  }

  publish(line: string): void {
    for (const [reader, wanted] of this.#readers) if (wanted(line)) reader.line(line);
  }

  /** `undebug all`: ends every stream; answers how many there were. */
  endAll(): number {
    const readers = [...this.#readers.keys()];
    for (const reader of readers) {
      this.#leave(reader);
      reader.end();
    }
    return readers.length;
  }

  #leave(reader: DebugReader): void {
    if (this.#readers.delete(reader) && this.#readers.size === 0) this.#switch(false);
  }
}
