import type { Alert } from '../inspect/alerts.ts';
import { type Action, type Frame, type FrameMode, type Side, unreachable } from '../inspect/inspector.ts';
import type { PolicyHit } from '../inspect/policy-hit.ts';
import type { Reason } from '../inspect/reasons.ts';
import type { LogMessage } from '../log/log-message.ts';
import { alertMessage, reasonMessage } from '../log/reason-messages.ts';
import { CONTENT, FRAMING, type OrderWriter, STOP } from '../native/event-batch.ts';
import { type Session, SIDES, sessionContext } from './session.ts';

/** Where a step's actions go. */
export interface PerformContext {
  readonly orders: OrderWriter;
  log(message: LogMessage): void;
  countMask(what: string): void;
  matched(session: Session, hit: PolicyHit): void;
  learn(session: Session, sender: string, minutes: number | undefined): void;
}

/** What became of a frame, in one word; refusals say why. */
export interface Outcome {
  readonly verdict: 'forward' | 'mask' | 'refuse' | 'hold';
  readonly reason?: Reason;
}

/** Turns an inspector's actions into orders and log messages, in their order. */
export function perform(context: PerformContext, session: Session, frame: Frame, actions: readonly Action[]): Outcome {
  let outcome: Outcome = { verdict: 'hold' };
  const refused = actions.some((action) => action.kind === 'refuse');
  for (const action of actions) {
    switch (action.kind) {
      case 'forward':
        context.orders.forward(session.flow, frame.from);
        if (outcome.verdict === 'hold') outcome = { verdict: 'forward' };
        break;
      case 'mask':
        context.orders.mask(session.flow, action.start, action.length, action.fill.charCodeAt(0));
        // A prefix is asked about again and again; what it hides is counted once, with its line.
        if (frame.kind !== 'partial') context.countMask(action.what);
        outcome = { verdict: 'mask' };
        break;
      case 'refuse':
        refuse(context, session, action);
        outcome = { verdict: 'refuse', reason: action.reason };
        break;
      case 'alert':
        // The refusal's own message says the same: one line an event.
        if (refused && action.alert.id === 'PROTOCOL_VIOLATION') break;
        if (actions.some((other) => tellsTheSame(other, action.alert))) break;
        if (session.alert) context.log(alertMessage(action.alert, sessionContext(session)));
        break;
      case 'classMatched':
        context.matched(session, action.hit);
        break;
      case 'learn':
        context.learn(session, action.sender, action.minutes);
        break;
      default:
        steer(context.orders, session, action);
    }
  }
  return outcome;
}

/** POP3, IMAP: a class with `log` writes the message that the machine's own refusal would write. */
function tellsTheSame(action: Action, { id }: Alert): boolean {
  if (action.kind !== 'classMatched' || !action.hit.log) return false;
  const { event } = action.hit;
  return (
    (event === 'INVALID_COMMAND' && (id === 'POP3_INVALID_COMMAND' || id === 'IMAP_INVALID_COMMAND')) ||
    (event === 'CLEAR_TEXT_LOGIN' && (id === 'POP3_NON_SECURE_LOGIN' || id === 'IMAP_NON_SECURE_LOGIN'))
  );
}

/** What a dialogue begins with (Inspector.begin): it cuts and holds, and there is nothing to judge yet. */
export function begin(orders: OrderWriter, session: Session, actions: readonly Action[]): void {
  for (const action of actions) {
    if (action.kind === 'pause' || action.kind === 'resume' || action.kind === 'frameAs')
      steer(orders, session, action);
  }
}

/** An inspector threw: a defect of ours. The session ends, nothing of the frame passes. */
export function refuseBroken(context: PerformContext, session: Session, error: unknown): Outcome {
  const what = error instanceof Error ? `${error.name} in ${firstFrame(error)}` : 'unknown error';
  context.log({ id: 'ERROR', fields: { detail: `${session.protocol} inspector failed: ${what}` } });
  context.orders.refuseWithReset(session.flow);
  return { verdict: 'refuse', reason: 'engine-error' };
}

type Steering = Exclude<Action, { readonly kind: 'forward' | 'mask' | 'refuse' | 'alert' | 'classMatched' | 'learn' }>;

function steer(orders: OrderWriter, session: Session, action: Steering): void {
  switch (action.kind) {
    case 'pause':
      orders.pause(session.flow, action.side);
      return;
    case 'resume':
      orders.resume(session.flow, action.side);
      return;
    case 'frameAs':
      frameAs(orders, session.flow, action.from, action.mode);
      return;
    case 'stopInspecting':
      orders.stop(session.flow, action.because === 'tls' ? STOP.tls : STOP.authenticated);
      return;
    case 'inspectAgain':
      orders.again(session.flow);
      for (const side of SIDES) {
        orders.frame(session.flow, side, FRAMING.lines, session.dialogue?.lineBytesMax[side] ?? 0);
      }
      return;
    case 'content':
      orders.content(session.flow, CONTENT[action.what], session.contentPlan ?? 0);
      return;
    default:
      unreachable(action);
  }
}

function frameAs(orders: OrderWriter, flow: number, from: Side, mode: FrameMode): void {
  switch (mode.kind) {
    case 'lines':
      orders.frame(flow, from, FRAMING.lines, mode.budgetBytes, mode.tolerant ?? false);
      return;
    case 'counted':
      orders.frame(flow, from, FRAMING.counted, mode.bytes);
      return;
    case 'mailData':
      orders.frame(flow, from, FRAMING.mailData, mode.budgetBytes, mode.tolerant ?? false);
      return;
    case 'tls':
      orders.frame(flow, from, FRAMING.tls, 0, mode.alerts ?? false);
      return;
    case 'opaque':
      orders.frame(flow, from, FRAMING.opaque, 0);
      return;
    default:
      unreachable(mode);
  }
}

function refuse(context: PerformContext, session: Session, action: Extract<Action, { readonly kind: 'refuse' }>): void {
  if (action.how === 'words') {
    context.orders.refuseWithWords(session.flow, action.words);
  } else {
    context.orders.refuseWithReset(session.flow);
  }
  if (session.alert) context.log(reasonMessage(action.reason, sessionContext(session)));
}

/** Where an error was thrown: function and place, never its message, which may quote the stream and have lines too. */
function firstFrame({ name, message, stack = '' }: Error): string {
  const heading = message === '' ? name : `${name}: ${message}`;
  const [, first] = stack.startsWith(heading) ? stack.slice(heading.length).split('\n') : [];
  return first?.trim() ?? 'an unknown place';
}
