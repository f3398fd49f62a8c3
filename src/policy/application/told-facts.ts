/** What an inspector told in one step, grouped into events and judged one after the other. */
import type { Fact } from '../../inspect/facts.ts';
import type { Action } from '../../inspect/inspector.ts';
import { REASONS, type Reason } from '../../inspect/reasons.ts';
import type { PolicyEnvironment } from './environment.ts';
import { judge, judgeHead } from './evaluate.ts';
import {
  type PolicyMemory,
  withMessage,
  withoutKeywords,
  withoutMessage,
  withRecipient,
  withSender,
} from './memory.ts';
import type { AddressOccurrence, LineOccurrence, Occurrence } from './occurrence.ts';
import type { ApplicationProgram, ProgramInterests } from './program.ts';

/** What judging needs beside the facts. */
export interface Bench {
  readonly program: ApplicationProgram;
  readonly environment: PolicyEnvironment;
  /** The initiator's address, where the program asks for it. */
  readonly client: string | undefined;
  /** The responder as `serverKey` names it, where the program asks for it. */
  readonly server?: string | undefined;
}

/** What the facts of a step came to. */
export interface Told {
  readonly memory: PolicyMemory;
  /** `classMatched` and `learn`, in their order. */
  readonly actions: readonly Action[];
  readonly refusal: Reason | undefined;
  /** How mail data begins with this step. */
  readonly begins: 'dotStuffed' | 'chunks' | undefined;
  readonly dataEnds: boolean;
  readonly messageEnds: boolean;
}

type CommandFact = Extract<Fact, { kind: 'command' }>;

/** The shape of a line while its facts come in. */
interface OpenLine {
  verb: string | undefined;
  lengthBytes: number;
  sender: AddressOccurrence | undefined;
  recipient: AddressOccurrence | undefined;
}

/**
 * Judges facts in their order. A line's command, sender and recipient are one event, everything else is one of its own;
 * nothing behind a refusal is judged. `connects`: the client's first frame, whose own event comes before all others.
 */
export function judgeFacts(facts: readonly Fact[], memory: PolicyMemory, bench: Bench, connects: boolean): Told {
  const told = new Telling(memory, bench);
  if (connects) told.connect();
  for (const fact of facts) {
    if (told.refusal !== undefined) break;
    told.take(fact);
  }
  told.closeLine();
  return told;
}

/** Gathers what comes of one step's facts; lives as long as the step. */
class Telling implements Told {
  memory: PolicyMemory;
  refusal: Reason | undefined = undefined;
  begins: Told['begins'] = undefined;
  dataEnds = false;
  messageEnds = false;
  readonly actions: Action[] = [];
  readonly #bench: Bench;
  #line: OpenLine | undefined;
  /** An address of the line has several readings: what becomes of it. */
  #unclear: ProgramInterests['unclear']['sender'] | undefined;

  constructor(memory: PolicyMemory, bench: Bench) {
    this.memory = memory;
    this.#bench = bench;
  }

  connect(): void {
    this.memory = { ...this.memory, connected: true };
    this.#judge({ kind: 'connection', client: this.#bench.client });
  }

  take(fact: Fact): void {
    switch (fact.kind) {
      case 'command':
        this.closeLine();
        this.#openLine(fact.verb, fact.lengthBytes);
        return;
      case 'sender':
        this.memory = withSender(this.memory, fact.addresses[0] ?? '');
        this.#add('sender', fact);
        return;
      case 'recipient':
        this.memory = withRecipient(this.memory);
        this.#add('recipient', fact);
        return;
      default:
        this.closeLine();
        if (this.refusal === undefined) this.#takeSingle(fact);
    }
  }

  closeLine(): void {
    const line = this.#line;
    this.#line = undefined;
    if (line !== undefined && this.refusal === undefined) this.#judge({ kind: 'line', whole: true, ...line });
    this.#judgeUnclear();
  }

  /** What classes make of an address is worth nothing where the server may read another one. */
  #judgeUnclear(): void {
    const unclear = this.#unclear;
    this.#unclear = undefined;
    if (unclear === undefined || unclear === 'pass' || this.refusal !== undefined) return;
    if (unclear === 'refuse') this.refusal = 'unclear-address';
    else this.actions.push({ kind: 'alert', alert: { id: 'PROTOCOL_VIOLATION', text: REASONS['unclear-address'] } });
  }

  #takeSingle(fact: Exclude<Fact, { kind: 'command' | 'sender' | 'recipient' }>): void {
    switch (fact.kind) {
      case 'messageBegins':
        this.memory = withMessage(this.memory);
        return;
      case 'messageEnds':
        this.memory = withoutMessage(this.memory);
        this.messageEnds = true;
        return;
      case 'greeted':
        this.memory = withoutKeywords(this.memory, this.#bench.program);
        return;
      case 'dataBegins':
        this.begins = fact.form;
        return;
      case 'dataEnds':
        this.dataEnds = true;
        return;
      case 'recipientRefused':
        this.memory = { ...this.memory, refusedRecipients: this.memory.refusedRecipients + 1 };
        this.#judge(fact);
        return;
      case 'starttls':
        this.#judge({ ...fact, before: this.#offeredBefore() });
        return;
      default:
        this.#judge(fact);
    }
  }

  #offeredBefore(): boolean {
    const { environment, server } = this.#bench;
    return server !== undefined && (environment.offeredStarttls?.(server) ?? false);
  }

  /** A program that looks at no lines makes nothing of them. */
  #openLine(verb: string | undefined, lengthBytes: number): OpenLine | undefined {
    if (!this.#bench.program.interests.lines) return undefined;
    this.#line = { verb, lengthBytes, sender: undefined, recipient: undefined };
    return this.#line;
  }

  #add(side: 'sender' | 'recipient', { addresses, clear }: Extract<Fact, { kind: 'sender' | 'recipient' }>): void {
    const { program, environment } = this.#bench;
    if (!clear) this.#unclear ??= program.interests.unclear[side];
    const line = this.#line ?? this.#openLine(undefined, 0);
    if (line === undefined) return;
    const maps = program.interests[`${side}Patterns`]
      ? addresses.flatMap((address) => environment.matches(side, address))
      : [];
    line[side] = { addresses, maps };
  }

  #judge(occurrence: Occurrence): void {
    const { program, environment } = this.#bench;
    const by = { program, memory: this.memory, learned: environment.learned };
    const { memory, actions, refusal } = judge(occurrence, by);
    this.memory = memory;
    this.actions.push(...actions);
    this.refusal = refusal;
  }
}

/** A refusal before the end of a line, with what is told of it. */
export interface HeadRefusal {
  readonly actions: readonly Action[];
  readonly refusal: Reason;
}

/**
 * The refusal of the shortest beginning of a client's line that is refused, so that it is the same in whatever pieces
 * the line came; undefined where its end decides. `fact` tells how far the line has come.
 */
export function refusalOfHead(
  fact: CommandFact,
  memory: PolicyMemory,
  bench: Bench,
  connects: boolean,
): HeadRefusal | undefined {
  const { verb, lengthBytes } = fact;
  const at = (length: number): HeadRefusal | undefined => {
    // The octet behind the verb shows where it ends.
    const shown = verb !== undefined && length > verb.length ? verb : undefined;
    return judgeBeginning({ kind: 'line', verb: shown, lengthBytes: length, whole: false }, memory, bench, connects);
  };
  let refused = lengthBytes === 0 ? undefined : at(lengthBytes);
  if (refused === undefined) return undefined;
  let passed = 0;
  for (let refusedAt = lengthBytes; refusedAt - passed > 1; ) {
    const middle = (passed + refusedAt) >> 1;
    const found = at(middle);
    if (found === undefined) passed = middle;
    else {
      refusedAt = middle;
      refused = found;
    }
  }
  return refused;
}

function judgeBeginning(
  line: LineOccurrence,
  memory: PolicyMemory,
  { program, environment, client }: Bench,
  connects: boolean,
): HeadRefusal | undefined {
  let by = { program, memory, learned: environment.learned };
  let before: readonly Action[] = [];
  if (connects) {
    const connected = judge({ kind: 'connection', client }, by);
    if (connected.refusal !== undefined) return { actions: connected.actions, refusal: connected.refusal };
    before = connected.actions;
    by = { ...by, memory: connected.memory };
  }
  const found = judgeHead(line, by);
  return found?.refusal === undefined ? undefined : { actions: [...before, ...found.actions], refusal: found.refusal };
}
