import { CONTENT_LIMITS } from '../../inspect/content-limits.ts';
import type { Fact } from '../../inspect/facts.ts';
import type { Action, Frame, Inspector, Step } from '../../inspect/inspector.ts';
import { REASONS, type Reason } from '../../inspect/reasons.ts';
import type { PolicyEnvironment } from './environment.ts';
import { judge } from './evaluate.ts';
import { NEW_MEMORY, type PolicyMemory, withoutKeywords, withoutMessage } from './memory.ts';
import type { ApplicationProgram } from './program.ts';
import { type Bench, judgeFacts, refusalOfHead, type Told } from './told-facts.ts';

/** What an application policy needs to judge a session; `inner` is the policy of the protocol's own machine. */
export interface ApplicationPolicy<Policy> {
  readonly inner: Policy;
  readonly program: ApplicationProgram;
  readonly environment: PolicyEnvironment;
  /** The name we refuse under. */
  readonly hostname: string;
  /** The initiator's address as `show` prints it. Needed where `program.usesClient`. */
  readonly client?: string | undefined;
  /** The responder's address and port as one word. Needed where `program.usesServer`. */
  readonly server?: string | undefined;
}

export interface ApplicationState<State> {
  readonly inner: State;
  readonly memory: PolicyMemory;
  /** What the walk over mail data does. `finishing`: its last facts are awaited, and `aside` with them. */
  readonly content: 'none' | 'walking' | 'finishing';
  /** What the machine answered to the end of the message. */
  readonly aside: readonly Action[];
  /** A server's line is refused at the client's next octets. */
  readonly refusal: Reason | undefined;
}

type ContentFrame = Extract<Frame, { kind: 'content' }>;

const FORWARD: Action = { kind: 'forward' };
const DROP: Action = { kind: 'content', what: 'drop' };
const FINISH: Action = { kind: 'content', what: 'finish' };

/**
 * A protocol's machine under an application policy (cisco-ios 3.9): it steps the machine, judges what that tells by the
 * classes of the program, and adds to its actions or refuses in their place. Pure, as the machine is.
 */
export function applicationInspector<State, Policy>(
  inner: Inspector<State, Policy>,
): Inspector<ApplicationState<State>, ApplicationPolicy<Policy>> {
  const initial: ApplicationState<State> = {
    inner: inner.initial,
    memory: NEW_MEMORY,
    content: 'none',
    aside: [],
    refusal: undefined,
  };
  return {
    name: inner.name,
    initial,
    lineBytesMax: inner.lineBytesMax,
    stage: (state) => inner.stage(state.inner),
    step(state, frame, policy) {
      if (state.refusal !== undefined && frame.from === 'initiator') {
        return { state, actions: refusing(state, policy, state.refusal, []) };
      }
      if (frame.kind === 'content') return onContent(state, frame, policy);
      const step = inner.step(state.inner, frame, policy.inner);
      if (step.actions.some(isRefusal)) return onInnerRefusal(state, frame, step, policy);
      if (frame.kind === 'partial') return onPartial(state, frame, step, policy);
      return withoutChunk(frame, policy, tellingStarttls(step, onWhole(state, frame, step, policy)));
    },
  };
}

/**
 * A chunk that waited for its recipients would go to the server unseen, once the last of them is answered: if they have
 * the session refused, the client hears of it in the place of the last answer.
 */
function withoutChunk<State, Policy>(
  { from }: Frame,
  policy: ApplicationPolicy<Policy>,
  step: Step<ApplicationState<State>>,
): Step<ApplicationState<State>> {
  const { state, actions } = step;
  const chunkAt = actions.findIndex((action) => action.kind === 'frameAs' && action.mode.kind === 'counted');
  if (from === 'initiator' || state.refusal === undefined || chunkAt < 0) return step;
  const others = actions.filter(({ kind }) => kind === 'alert' || kind === 'classMatched' || kind === 'learn');
  return { ...step, actions: [...others, ...refusing(state, policy, state.refusal, [])] };
}

/** Whoever watches servers is told, whatever the policy makes of it. */
function tellingStarttls<State>(
  { facts = [] }: Step<unknown>,
  step: Step<ApplicationState<State>>,
): Step<ApplicationState<State>> {
  const told = facts.filter(({ kind }) => kind === 'starttls');
  return told.length === 0 ? step : { ...step, facts: told };
}

/** The machine's refusal stands, unless an earlier octet was one that the policy refuses. */
function onInnerRefusal<State, Policy>(
  state: ApplicationState<State>,
  frame: Frame,
  step: Step<State>,
  policy: ApplicationPolicy<Policy>,
): Step<ApplicationState<State>> {
  const earlier = headRefusal(state, frame, step, policy);
  if (earlier !== undefined) return { state, actions: refusing(state, policy, earlier.refusal, earlier.actions) };
  const logins = (step.facts ?? []).filter(({ kind }) => kind === 'invalidCommand' || kind === 'clearTextLogin');
  // Of POP3 and IMAP the machine refuses for us what a class resets, as soon as the octets tell.
  const told = logins.length === 0 ? [] : judgeFacts(logins, state.memory, benchOf(policy), false).actions;
  return { state, actions: [...dropOf(state), ...told, ...step.actions] };
}

/** Octets go ahead as the machine says, until they decide a refusal. */
function onPartial<State, Policy>(
  state: ApplicationState<State>,
  frame: Frame,
  step: Step<State>,
  policy: ApplicationPolicy<Policy>,
): Step<ApplicationState<State>> {
  const refused = headRefusal(state, frame, step, policy);
  if (refused === undefined) return { state, actions: step.actions };
  return { state, actions: refusing(state, policy, refused.refusal, refused.actions) };
}

function onWhole<State, Policy>(
  state: ApplicationState<State>,
  frame: Frame,
  step: Step<State>,
  policy: ApplicationPolicy<Policy>,
): Step<ApplicationState<State>> {
  if (step.actions.some(isEncryption)) return onEncryption(state, step, policy.program);
  const connecting = connects(state, frame, policy);
  const facts = step.facts ?? [];
  if (!connecting && isIdle(facts, policy.program)) {
    return { state: step.state === state.inner ? state : { ...state, inner: step.state }, actions: step.actions };
  }
  const early = headRefusal(state, frame, step, policy);
  if (early !== undefined) return { state, actions: refusing(state, policy, early.refusal, early.actions) };
  if (isNestedInChunks(state, facts, policy.program)) {
    return { state, actions: refusing(state, policy, 'command-out-of-state', []) };
  }
  const told = judgeFacts(facts, state.memory, benchOf(policy), connecting);
  if (told.refusal !== undefined) return onRefusal(state, frame, step, { told, refusal: told.refusal, policy });
  return goOn(state, step, told, policy.program);
}

/** TLS is agreed on: there is nothing to judge any more, and what was latched of a message ends with the walk. */
function onEncryption<State>(
  state: ApplicationState<State>,
  step: Step<State>,
  program: ApplicationProgram,
): Step<ApplicationState<State>> {
  const memory = withoutMessage(withoutKeywords(state.memory, program));
  return {
    state: { ...state, inner: step.state, memory, content: 'none', aside: [] },
    actions: [...dropOf(state), ...step.actions],
  };
}

interface Refused<Policy> {
  readonly told: Told;
  readonly refusal: Reason;
  readonly policy: ApplicationPolicy<Policy>;
}

/** A client's frame is refused itself; of a server's line the client hears when it goes on. */
function onRefusal<State, Policy>(
  state: ApplicationState<State>,
  frame: Frame,
  step: Step<State>,
  { told, refusal, policy }: Refused<Policy>,
): Step<ApplicationState<State>> {
  if (frame.from === 'initiator') {
    // A chunk that was announced comes all the same, and the words have to stand behind it.
    const chunk = step.actions.filter((action) => action.kind === 'frameAs' && action.mode.kind === 'counted');
    return { state, actions: [...chunk, ...refusing(state, policy, refusal, told.actions)] };
  }
  const after = { ...state, inner: step.state, memory: told.memory, refusal };
  return { state: after, actions: [...step.actions, ...told.actions] };
}

/** Nothing is refused: the walk over mail data begins, ends or is given up as the facts say. */
function goOn<State>(
  state: ApplicationState<State>,
  step: Step<State>,
  { memory, actions, begins, dataEnds, messageEnds }: Told,
  program: ApplicationProgram,
): Step<ApplicationState<State>> {
  const given = messageEnds ? dropOf(state) : [];
  const begun = begins !== undefined && program.content !== undefined;
  const kept = given.length > 0 ? 'none' : state.content;
  const walking = begun || kept === 'walking';
  const first: readonly Action[] = begun
    ? [...given, { kind: 'content', what: begins === 'chunks' ? 'beginChunks' : 'beginData' }]
    : given;
  const after = { ...state, inner: step.state, memory };
  if (dataEnds && walking) {
    return {
      state: { ...after, content: 'finishing', aside: step.actions },
      actions: [...first, ...actions, FINISH],
    };
  }
  return {
    state: { ...after, content: walking ? 'walking' : kept },
    actions: first.length + actions.length === 0 ? step.actions : [...first, ...step.actions, ...actions],
  };
}

/** The walk told what it found: each of it an event. */
function onContent<State, Policy>(
  state: ApplicationState<State>,
  frame: ContentFrame,
  policy: ApplicationPolicy<Policy>,
): Step<ApplicationState<State>> {
  const { program, environment } = policy;
  const told: Action[] = [];
  let { memory } = state;
  for (const fact of frame.facts) {
    if (fact.kind === 'limit') {
      const why = `${REASONS['content-limit']}: ${CONTENT_LIMITS[fact.name]}`;
      told.push({ kind: 'alert', alert: { id: 'PROTOCOL_VIOLATION', text: why } });
      if (program.refusesContent) return { state, actions: refusing(state, policy, 'content-limit', told, why) };
      continue;
    }
    const judged = judge(fact, { program, memory, learned: environment.learned });
    memory = judged.memory;
    told.push(...judged.actions);
    if (judged.refusal !== undefined) return { state, actions: refusing(state, policy, judged.refusal, told) };
  }
  if (!frame.finished) return { state: { ...state, memory }, actions: [FORWARD, ...told] };
  const { aside } = state;
  const after: ApplicationState<State> = { ...state, memory, content: 'none', aside: [] };
  return { state: after, actions: [...(aside.length === 0 ? [FORWARD] : aside), ...told] };
}

function headRefusal<State, Policy>(
  state: ApplicationState<State>,
  frame: Frame,
  step: Step<State>,
  policy: ApplicationPolicy<Policy>,
): ReturnType<typeof refusalOfHead> {
  if (!policy.program.interests.prefixes || frame.from !== 'initiator') return undefined;
  const command = step.facts?.find((fact) => fact.kind === 'command');
  if (command?.kind !== 'command') return undefined;
  return refusalOfHead(command, state.memory, benchOf(policy), connects(state, frame, policy));
}

function connects<State, Policy>(
  { memory }: ApplicationState<State>,
  frame: Frame,
  { program }: ApplicationPolicy<Policy>,
): boolean {
  return program.interests.connection && !memory.connected && frame.from === 'initiator';
}

function benchOf<Policy>({ program, environment, client, server }: ApplicationPolicy<Policy>): Bench {
  return { program, environment, client, server };
}

/** Nothing is to be found any more in a message that is given up. */
function dropOf<State>({ content }: ApplicationState<State>): readonly Action[] {
  return content === 'walking' ? [DROP] : [];
}

/** SMTP has words for it; of POP3 and IMAP both sides get RST as in IOS (cisco-ios 3.10). */
function refusing<State, Policy>(
  state: ApplicationState<State>,
  { program, hostname }: ApplicationPolicy<Policy>,
  reason: Reason,
  told: readonly Action[],
  why: string = REASONS[reason],
): readonly Action[] {
  const refusal: Action =
    program.protocol === 'smtp'
      ? { kind: 'refuse', reason, how: 'words', words: `554 5.7.1 ${hostname} refused: ${why}\r\n` }
      : { kind: 'refuse', reason, how: 'reset' };
  return [...dropOf(state), ...told, refusal];
}

/**
 * A MAIL between the chunks of a message, sent before the server said what became of that one (RFC 3030 4.2: a client
 * waits, or sends RSET). Whether its text goes on or begins anew is not known, so that it cannot be looked through.
 */
function isNestedInChunks<State>(
  { content }: ApplicationState<State>,
  facts: readonly Fact[],
  { refusesContent }: ApplicationProgram,
): boolean {
  if (!refusesContent || content !== 'walking') return false;
  const goesOn = facts.some(({ kind }) => kind === 'sender' || kind === 'recipient');
  return goesOn && !facts.some(({ kind }) => kind === 'messageEnds');
}

/** Nothing that a class of this program looks at: most lines of most sessions. */
function isIdle(facts: readonly Fact[], { interests }: ApplicationProgram): boolean {
  return facts.length === 0 || (facts.length === 1 && facts[0]?.kind === 'command' && !interests.lines);
}

function isEncryption(action: Action): boolean {
  return action.kind === 'stopInspecting' && action.because === 'tls';
}

function isRefusal({ kind }: Action): boolean {
  return kind === 'refuse';
}
