/** What the session does on the server's answers. State moves here and nowhere else: the client only asks. */
import type { Fact } from '../../inspect/facts.ts';
import { readOpening, SERVER_OPENINGS } from '../../inspect/foreign.ts';
import type { Action, FrameMode, Step } from '../../inspect/inspector.ts';
import type { Reason } from '../../inspect/reasons.ts';
import { AWAIT_TLS } from '../../inspect/tls-start.ts';
import { keywordOf, mayOffer } from './ehlo.ts';
import { keywordFacts, offerAfter, refusesRecipient, starttlsFacts } from './facts.ts';
import { type CommandRule, LAST_CHUNK } from './grammar.ts';
import { commandIsAnswered, isEndUndone } from './message.ts';
import { refuseServer, refuseWithReset, type SmtpPolicy } from './policy.ts';
import { judgeReply, type RefusedReply, type ReplyLine } from './replies.ts';
import { moveTo, type SmtpState } from './state.ts';

const FORWARD: Action = { kind: 'forward' };
/** `250-` or `250 `. */
const CODE_AND_SEPARATOR_BYTES = 4;

export function onReplyLine(state: SmtpState, text: string, policy: SmtpPolicy): Step<SmtpState> {
  const reply = judgeReply(state, text, true);
  if (reply.kind === 'undecided') return { state, actions: refuseWithReset('engine-error') };
  if (reply.kind === 'refused') return { state, actions: refuseJudged(reply, text, policy) };
  const actions =
    isKeyword(state, reply) && !mayOffer(reply.text, true, policy) ? [maskKeyword(text), FORWARD] : [FORWARD];
  const learnt = learn(state, reply, actions.length === 1);
  const facts = [...replyFacts(state, reply), ...starttlsFacts(learnt, reply)];
  if (reply.continued) return { state: { ...learnt, replyCode: reply.code }, actions, facts };
  const over: SmtpState = { ...learnt, replyCode: undefined, unanswered: reply.remaining };
  const { answers, code } = reply;
  if (answers === undefined) return { ...moveTo(state, over, actions), facts };
  if (isEndUndone(over, answers, code)) return { state, actions: refuseWithReset('unexpected-reply') };
  const step = conclude(state, over, { answers, code }, { actions, policy });
  const told = commandIsAnswered(step.state, answers, code);
  return { ...step, state: told.state, facts: [...facts, ...told.facts, ...dataFacts(told.state)] };
}

/** What a line of a reply tells. A refused recipient is told once, with the first line. */
function replyFacts(state: SmtpState, reply: ReplyLine): readonly Fact[] {
  if (isKeyword(state, reply)) return keywordFacts(reply.text);
  if (state.replyCode !== undefined) return [];
  if (reply.answers?.effect === 'greets' && reply.code.startsWith('2')) return [{ kind: 'greeted' }];
  return refusesRecipient(state.unanswered, reply.code, reply.text) ? [{ kind: 'recipientRefused' }] : [];
}

function dataFacts({ expecting }: SmtpState): readonly Fact[] {
  return expecting === 'data' ? [{ kind: 'dataBegins', form: 'dotStuffed' }] : [];
}

export function onPartialReplyLine(state: SmtpState, text: string, policy: SmtpPolicy): readonly Action[] {
  const reply = judgeReply(state, text, false);
  if (reply.kind === 'undecided') return [FORWARD];
  if (reply.kind === 'refused') return refuseJudged(reply, text, policy);
  const masked = isKeyword(state, reply) && !mayOffer(reply.text, false, policy);
  return masked ? [maskKeyword(text), FORWARD] : [FORWARD];
}

/**
 * RFC 5321 4.1.1.1: the first line of the answer to EHLO names the server, each further one an extension. Clients take
 * any 2xx for the 250 of the RFC: Postfix looks at the first digit.
 */
function isKeyword({ replyCode }: SmtpState, { answers, code }: ReplyLine): boolean {
  return answers?.verb === 'EHLO' && replyCode !== undefined && code.startsWith('2');
}

function maskKeyword(line: string): Action {
  const length = line.length - CODE_AND_SEPARATOR_BYTES;
  return { kind: 'mask', start: CODE_AND_SEPARATOR_BYTES, length, fill: 'X', what: 'ehlo-keyword' };
}

/** Each answer to EHLO and HELO says anew what is offered. */
function learn(state: SmtpState, reply: ReplyLine, visible: boolean): SmtpState {
  if (reply.answers?.effect !== 'greets') return state;
  if (!reply.code.startsWith('2')) return withoutExtensions(state, reply);
  if (state.replyCode === undefined) return { ...state, chunking: false, starttls: 'missing' };
  const keyword = keywordOf(reply.text);
  if (visible && keyword === 'CHUNKING') return { ...state, chunking: true };
  const starttls = offerAfter(state.starttls, keyword);
  return starttls === state.starttls ? state : { ...state, starttls };
}

/** A server that knows no EHLO has no extensions (RFC 5321 4.1.4), if it then takes HELO. */
function withoutExtensions(state: SmtpState, { answers, code }: ReplyLine): SmtpState {
  return answers?.verb === 'EHLO' && code.startsWith('5') ? { ...state, ehloRefused: true } : state;
}

/**
 * When the line's first octets may have gone ahead, words behind them would read as their end: the client gets RST and
 * has no reply at all. A line whose first octet is wrong never began.
 */
export function refuseReply(reason: Reason, text: string, policy: SmtpPolicy): readonly Action[] {
  const hasBegun = /^[2-5]/.test(text) || (reason === 'invalid-greeting' && mayOpenForeign(text));
  return hasBegun ? refuseWithReset(reason) : refuseServer(policy, reason);
}

function mayOpenForeign(text: string): boolean {
  return readOpening(text.slice(0, 1), SERVER_OPENINGS).kind === 'undecided';
}

function refuseJudged({ reason, foreign }: RefusedReply, text: string, policy: SmtpPolicy): readonly Action[] {
  if (foreign === undefined) return refuseReply(reason, text, policy);
  return refuseWithReset(reason, { id: 'FOREIGN_PROTOCOL', spoken: foreign, by: 'responder' });
}

interface Answer {
  readonly answers: CommandRule;
  readonly code: string;
}

interface Conclusion {
  readonly actions: readonly Action[];
  readonly policy: SmtpPolicy;
}

/** The last line of a reply has come. */
function conclude(
  before: SmtpState,
  over: SmtpState,
  { answers, code }: Answer,
  { actions, policy }: Conclusion,
): Step<SmtpState> {
  switch (code[0]) {
    case '2':
      return accept(before, over, answers, actions);
    case '3':
      return goAhead(before, over, answers, { actions, policy });
    default:
      return moveTo(before, decline(over, answers), actions);
  }
}

function decline(over: SmtpState, rule: CommandRule): SmtpState {
  const { effect, goAhead: asked } = rule;
  if (effect === 'closesMail') return rule === LAST_CHUNK ? over : { ...over, envelope: 'none' };
  return asked?.wants === 'sasl' ? { ...over, secretsMayFollow: true } : over;
}

function goAhead(
  before: SmtpState,
  over: SmtpState,
  { goAhead: asked }: CommandRule,
  { actions, policy }: Conclusion,
): Step<SmtpState> {
  if (asked?.wants !== 'data') return moveTo(before, { ...over, expecting: 'sasl' }, actions);
  return moveTo(before, { ...over, expecting: 'data' }, [
    ...actions,
    { kind: 'frameAs', from: 'initiator', mode: mailData(policy) },
  ]);
}

function mailData({ maxDataBytes, lineEndings }: SmtpPolicy): FrameMode {
  const mode = { kind: 'mailData', budgetBytes: maxDataBytes } as const;
  return lineEndings === 'tolerant' ? { ...mode, tolerant: true } : mode;
}

function accept(
  before: SmtpState,
  over: SmtpState,
  { effect }: CommandRule,
  actions: readonly Action[],
): Step<SmtpState> {
  switch (effect) {
    case 'none':
      return moveTo(before, over, actions);
    case 'greets':
    case 'resets':
    case 'closesMail':
      return moveTo(before, { ...over, envelope: 'none' }, actions);
    case 'opensMail':
      return moveTo(before, { ...over, envelope: 'sender' }, actions);
    case 'addsRecipient':
      return moveTo(before, over.envelope === 'none' ? over : { ...over, envelope: 'recipients' }, actions);
    case 'ends':
      return moveTo(before, { ...over, expecting: 'nothing', unanswered: [] }, actions);
    case 'startsTls':
      return { state: { ...over, expecting: 'clientHello' }, actions: [...actions, ...AWAIT_TLS] };
  }
}
