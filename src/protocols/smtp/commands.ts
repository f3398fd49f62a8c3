/** What the client sends while commands are expected. */
import type { Alert } from '../../inspect/alerts.ts';
import type { Fact } from '../../inspect/facts.ts';
import type { Action, Step } from '../../inspect/inspector.ts';
import { REASONS } from '../../inspect/reasons.ts';
import { type AttackSignature, type CommandVerdict, judgeCommandLine } from './command-line.ts';
import { envelopeFacts, headFact, lineFact } from './facts.ts';
import {
  beginsMasked,
  type CommandRule,
  DOUBTFUL_RESET,
  EMPTY_LINE,
  GREETING,
  isMaskedVerb,
  LAST_CHUNK,
  MASKED,
  upper,
} from './grammar.ts';
import { chunkIsSent, commandIsSent } from './message.ts';
import { refuseForeign, refuseWithReset, refuseWithWords, type SmtpPolicy } from './policy.ts';
import { passedLength } from './prefixes.ts';
import { signatureAlert, signatureOfIllegal, signaturesOf } from './signatures.ts';
import { awaitsRecipients, moveTo, type SmtpState } from './state.ts';

const FORWARD: Action = { kind: 'forward' };
const QUOTED_VERB_MAX = 32;
/** What one server or another takes for BDAT: some skip blanks before a verb, some part words at any of them. */
const CHUNK_COMMAND = /^\W*BDAT(?:\W|$)/i;

export function onCommandLine(state: SmtpState, text: string, policy: SmtpPolicy): Step<SmtpState> {
  const verdict = judgeCommandLine(text, true, policy, state);
  switch (verdict.kind) {
    case 'legal':
      return onLegal(state, verdict.rule, { argument: verdict.argument, own: lineFact(text) }, policy);
    case 'empty': {
      const alerts = [alertOf(invalidCommand(state, '', text)), ...earlyTalk(state)];
      return telling([lineFact(text)], sent(state, EMPTY_LINE, [FORWARD, ...alerts]));
    }
    case 'illegal':
      return telling([lineFact(text)], onIllegal(state, verdict.verb, text, policy));
    case 'attack':
      return telling([lineFact(text)], onAttack(state, verdict.signature, text, policy));
    case 'refused': {
      const head = passedHead(state, text, policy);
      const fact = head.length < text.length ? headFact(head) : lineFact(text);
      return { state, actions: refuseLine(verdict, policy), facts: [fact] };
    }
    case 'undecided':
      return { state, actions: refuseWithReset('engine-error') };
  }
}

/**
 * A line under way: octets go ahead while it can still become legal, and are masked from the first that cannot be.
 * That an illegal one is to end the session is said at its end, when the alert can name it.
 */
export function onPartialCommandLine(state: SmtpState, text: string, policy: SmtpPolicy): Step<SmtpState> {
  const verdict = judgeCommandLine(text, false, policy, state);
  switch (verdict.kind) {
    case 'illegal':
    case 'attack':
      return { state, actions: [maskAll(text), FORWARD], facts: [headFact(text)] };
    case 'refused': {
      const actions = refuseLine(verdict, policy);
      return { state, actions, facts: [headFact(passedHead(state, text, policy))] };
    }
    case 'legal':
    case 'empty':
    case 'undecided':
      return { state, actions: [FORWARD], facts: [headFact(text)] };
  }
}

function refuseLine({ reason, foreign }: Extract<CommandVerdict, { kind: 'refused' }>, policy: SmtpPolicy) {
  return foreign === undefined ? refuseWithWords(policy, reason) : refuseForeign(policy, foreign);
}

/** What of a refused line could have gone ahead, and have been judged by a policy before the octet that is refused. */
function passedHead(state: SmtpState, text: string, policy: SmtpPolicy): string {
  return text.slice(
    0,
    passedLength(text, (head) => judgeCommandLine(head, false, policy, state)),
  );
}

function telling(facts: readonly Fact[], step: Step<SmtpState>): Step<SmtpState> {
  return { ...step, facts };
}

interface LegalLine {
  readonly argument: string;
  /** The line's own fact. */
  readonly own: Fact;
}

function onLegal(
  state: SmtpState,
  rule: CommandRule,
  { argument, own }: LegalLine,
  policy: SmtpPolicy,
): Step<SmtpState> {
  if (rule.legal === 'chunking') return onChunk(state, rule, { argument, own }, policy);
  const recipients = recipientsAfter(state, rule);
  const signatures = signaturesOf(rule, argument, recipients, policy).map((each) => alertOf(signatureAlert(each)));
  const chunkBytes = recipients === 0 ? 0 : state.chunkBytes;
  const awaited = rule.effect === 'resets' && /[^ ]/.test(argument) ? DOUBTFUL_RESET : rule;
  const told = commandIsSent({ ...state, recipients, chunkBytes, secretsMayFollow: false }, awaited);
  const facts = [...told.facts, own, ...envelopeFacts(rule, argument)];
  return telling(facts, sent(told.state, awaited, [FORWARD, ...signatures, ...earlyTalk(state)], state));
}

function recipientsAfter(state: SmtpState, { effect }: CommandRule): number {
  if (effect === 'addsRecipient') return state.recipients + 1;
  return effect === 'opensMail' || effect === 'resets' || effect === 'greets' ? 0 : state.recipients;
}

/** RFC 3030 2: the size says how many octets follow the line. The rule of max-data holds for the chunks together. */
function onChunk(
  state: SmtpState,
  rule: CommandRule,
  { argument, own }: LegalLine,
  policy: SmtpPolicy,
): Step<SmtpState> {
  const bytes = Number.parseInt(argument, 10);
  const chunkBytes = state.chunkBytes + bytes;
  if (chunkBytes > policy.maxDataBytes) {
    const alert: Alert = { id: 'SMTP_MAX_DATA', maxDataBytes: policy.maxDataBytes };
    return { state, actions: refuseWithWords(policy, 'data-too-long', alert), facts: [own] };
  }
  const last = argument.includes(' ');
  const told = chunkIsSent({ ...state, chunkBytes: last ? 0 : chunkBytes }, bytes, last);
  const facts = [own, ...told.facts];
  const awaited = last ? LAST_CHUNK : rule;
  if (bytes === 0) return telling(facts, sent(told.state, awaited, [FORWARD]));
  if (policy.chunksAwaitRecipients && awaitsRecipients(state.unanswered)) {
    return telling(
      facts,
      sent({ ...told.state, expecting: 'chunk', waitingChunkBytes: bytes }, awaited, [FORWARD], state),
    );
  }
  const counted: Action = { kind: 'frameAs', from: 'initiator', mode: { kind: 'counted', bytes } };
  return telling(facts, sent({ ...told.state, expecting: 'chunk' }, awaited, [FORWARD, counted]));
}

function onIllegal(state: SmtpState, verb: string, text: string, policy: SmtpPolicy): Step<SmtpState> {
  const alert = invalidCommand(state, verb, text);
  const byPolicy = isMaskedVerb(verb, policy);
  if (policy.illegal === 'drop' && !beginsMasked(verb, policy))
    return { state, actions: refuseWithWords(policy, 'invalid-command', alert) };
  if (CHUNK_COMMAND.test(text)) {
    const chunk = hiddenChunk(text);
    if (chunk !== 'none') return { state, actions: [...chunk, ...refuseWithWords(policy, 'invalid-command', alert)] };
  }
  // With `smtp` alone EHLO is expected from every client, and masked so that it falls back to HELO: nothing to tell.
  // Of a verb that policy masks the policy tells.
  const expected = byPolicy || (!policy.extended && upper(verb) === 'EHLO');
  const signature = signatureOfIllegal(verb);
  const alerts = [
    ...(expected ? [] : [alertOf(alert)]),
    ...(signature === undefined ? [] : [alertOf(signatureAlert(signature))]),
  ];
  return sent(state, MASKED, [maskAll(text), FORWARD, ...alerts, ...earlyTalk(state)]);
}

/**
 * A client sends the chunk with its BDAT, and a server that was shown a masked one would run the chunk as commands
 * (RFC 3030 2; seen with servers that do not know CHUNKING). Nobody honest sends it, for CHUNKING is never offered: the
 * session is refused, behind the chunk where its size can be read. Only BDAT 0 brings nothing with it.
 */
function hiddenChunk(text: string): 'none' | readonly Action[] {
  const [, size] = /^BDAT ([0-9]{1,15})(?: LAST)?$/i.exec(text) ?? [];
  if (size === undefined) return [];
  const bytes = Number(size);
  return bytes === 0 ? 'none' : [{ kind: 'frameAs', from: 'initiator', mode: { kind: 'counted', bytes } }];
}

function onAttack(state: SmtpState, signature: AttackSignature, text: string, policy: SmtpPolicy): Step<SmtpState> {
  const alert = signatureAlert(signature);
  if (policy.illegal === 'drop') return { state, actions: refuseWithWords(policy, 'invalid-arguments', alert) };
  return sent(state, MASKED, [maskAll(text), FORWARD, alertOf(alert), ...earlyTalk(state)]);
}

/** The client's line is on its way, and the server owes an answer. */
function sent(
  state: SmtpState,
  awaited: CommandRule,
  actions: readonly Action[],
  before: SmtpState = state,
): Step<SmtpState> {
  return moveTo(before, { ...state, unanswered: [...state.unanswered, awaited] }, actions);
}

/**
 * A client that does not wait for the greeting (RFC 5321 4.3.1) is told of once; servers answer it in order all the
 * same.
 */
function earlyTalk({ unanswered }: SmtpState): readonly Action[] {
  if (unanswered.length !== 1 || unanswered[0] !== GREETING) return [];
  return [alertOf({ id: 'PROTOCOL_VIOLATION', text: REASONS['early-talk'] })];
}

/** Quotes a word that looks like a verb, unless it may be the password of a client that took no for a go-ahead. */
function invalidCommand({ secretsMayFollow }: SmtpState, verb: string, text: string): Alert {
  const word = secretsMayFollow ? '' : (/^[A-Za-z0-9-]*/.exec(verb)?.[0] ?? '');
  return { id: 'SMTP_INVALID_COMMAND', text: word.slice(0, QUOTED_VERB_MAX), lengthBytes: text.length };
}

function maskAll(text: string): Action {
  return { kind: 'mask', start: 0, length: text.length, fill: 'x', what: 'smtp-command' };
}

function alertOf(alert: Alert): Action {
  return { kind: 'alert', alert };
}
