/** What a session keeps from one event to another (D-41, D-46). Small values, never changed in place. */
import type { ApplicationProgram, ProgramCondition } from './program.ts';

export interface PolicyMemory {
  /** The event of the connection is behind. */
  readonly connected: boolean;
  /** Conditions that held, by their bits: those that last as long as the connection, or until the next greeting. */
  readonly latched: bigint;
  /** Counts that were told. */
  readonly told: bigint;
  readonly recipients: number;
  readonly refusedRecipients: number;
  /** Absent between messages. */
  readonly message: MessageMemory | undefined;
}

export interface MessageMemory {
  readonly sender: string | undefined;
  readonly latched: bigint;
  readonly told: bigint;
  readonly recipients: number;
}

export const NEW_MEMORY: PolicyMemory = {
  connected: false,
  latched: 0n,
  told: 0n,
  recipients: 0,
  refusedRecipients: 0,
  message: undefined,
};

const NEW_MESSAGE: MessageMemory = { sender: undefined, latched: 0n, told: 0n, recipients: 0 };

export function withMessage(memory: PolicyMemory): PolicyMemory {
  return { ...memory, message: NEW_MESSAGE };
}

export function withoutMessage(memory: PolicyMemory): PolicyMemory {
  return memory.message === undefined ? memory : { ...memory, message: undefined };
}

/** A greeting was accepted: what was offered before counts no more. */
export function withoutKeywords(memory: PolicyMemory, { keywordBits }: ApplicationProgram): PolicyMemory {
  const latched = memory.latched & ~keywordBits;
  return latched === memory.latched ? memory : { ...memory, latched };
}

/** A recipient is on its way. */
export function withRecipient(memory: PolicyMemory): PolicyMemory {
  const { message } = memory;
  return {
    ...memory,
    recipients: memory.recipients + 1,
    message: message === undefined ? undefined : { ...message, recipients: message.recipients + 1 },
  };
}

/** MAIL behind a MAIL of the same message may be refused: its first sender stays the one to learn. */
export function withSender(memory: PolicyMemory, sender: string): PolicyMemory {
  const { message } = memory;
  if (message === undefined || message.sender !== undefined) return memory;
  return { ...memory, message: { ...message, sender } };
}

export interface Count {
  readonly value: number;
  readonly over: number;
  readonly told: bigint;
}

/** How far a counting condition has come, in its scope (D-41). Nothing counts beyond none for other conditions. */
export function countOf(condition: ProgramCondition, program: ApplicationProgram, memory: PolicyMemory): Count {
  const { told } = memory;
  switch (condition.kind) {
    case 'recipientInvalidCount':
      return { value: memory.refusedRecipients, over: condition.over, told };
    case 'recipientCount': {
      const scope = program.recipientCount === 'connection' ? memory : memory.message;
      return { value: scope?.recipients ?? 0, over: condition.over, told: scope?.told ?? 0n };
    }
    default:
      return { value: 0, over: 0, told };
  }
}

/** Whether a condition of a match-all class held before, and still counts. */
export function isLatched(condition: ProgramCondition, program: ApplicationProgram, memory: PolicyMemory): boolean {
  switch (condition.kind) {
    case 'verb':
    case 'lineLength':
      return false;
    case 'recipientCount':
    case 'recipientInvalidCount': {
      const { value, over } = countOf(condition, program, memory);
      return value > over;
    }
    default:
      return ((isOfConnection(condition) ? memory.latched : (memory.message?.latched ?? 0n)) & condition.bit) !== 0n;
  }
}

/** Latches what held at an event. Verbs and lengths of lines are of their line alone; counts latch by themselves. */
export function withLatches(memory: PolicyMemory, held: readonly ProgramCondition[]): PolicyMemory {
  let { latched, message } = memory;
  for (const condition of held) {
    if (isOfConnection(condition)) latched |= condition.bit;
    else if (message !== undefined) message = { ...message, latched: message.latched | condition.bit };
  }
  return latched === memory.latched && message === memory.message ? memory : { ...memory, latched, message };
}

/** The counts of a class that matched need not be told again. */
export function withTold(
  memory: PolicyMemory,
  program: ApplicationProgram,
  conditions: readonly ProgramCondition[],
): PolicyMemory {
  let { told, message } = memory;
  for (const condition of conditions) {
    const ofMessage = condition.kind === 'recipientCount' && program.recipientCount === 'message';
    if (condition.kind !== 'recipientCount' && condition.kind !== 'recipientInvalidCount') continue;
    if (!isLatched(condition, program, memory)) continue;
    if (!ofMessage) told |= condition.bit;
    else if (message !== undefined) message = { ...message, told: message.told | condition.bit };
  }
  return told === memory.told && message === memory.message ? memory : { ...memory, told, message };
}

function isOfConnection({ kind }: ProgramCondition): boolean {
  switch (kind) {
    case 'everyConnection':
    case 'clientLearned':
    case 'ehloKeyword':
    case 'starttls':
    case 'invalidCommand':
    case 'clearTextLogin':
      return true;
    default:
      return false;
  }
}
