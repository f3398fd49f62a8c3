import type { Dialogue, Session } from '../../../src/engine/session.ts';
import type { Action, Frame, Side } from '../../../src/inspect/inspector.ts';
import type { Fault } from './faults.ts';

/** A whole frame, as the machine was asked about it. */
export interface JudgedUnit {
  readonly what: string;
  readonly masked: boolean;
  forwarded: boolean;
}

/** All that was judged in one session. */
export class Judgements {
  readonly units: Readonly<Record<Side, JudgedUnit[]>> = { initiator: [], responder: [] };
  /** Who was refused what. */
  refused: { readonly side: Side; readonly reason: string } | undefined;
  /** Which policy it began under. */
  readonly policy: number;
  /** Sides that nobody reads any more. */
  readonly unread = new Set<Side>();
  /** Something was overwritten, in a whole line, in one so far, or in a look-alike of the end of data. */
  masks = false;

  constructor(policy: number) {
    this.policy = policy;
  }

  /** Listens to what the session's machine is asked and answers. */
  listen(session: Session, fault: Fault = {}): void {
    const { dialogue } = session;
    if (dialogue === undefined) return;
    const heard: Dialogue = {
      lineBytesMax: dialogue.lineBytesMax,
      stage: () => dialogue.stage(),
      step: (frame) => {
        const actions = dialogue.step(frame);
        this.#note(frame, actions);
        return fault.carriesOut?.(frame, actions) ?? actions;
      },
    };
    session.dialogue = heard;
  }

  #note(frame: Frame, actions: readonly Action[]): void {
    const refuse = actions.find((action) => action.kind === 'refuse');
    if (refuse?.kind === 'refuse') this.refused ??= { side: frame.from, reason: refuse.reason };
    const masked = actions.some(({ kind }) => kind === 'mask');
    this.masks ||= masked;
    for (const action of actions) {
      if (action.kind === 'stopInspecting') this.unread.add('responder');
      if (action.kind === 'stopInspecting' && action.because === 'tls') this.unread.add('initiator');
      if (action.kind === 'frameAs' && action.mode.kind === 'opaque') this.unread.add(action.from);
      if (action.kind === 'inspectAgain') this.unread.clear();
    }
    const what = nameOf(frame);
    if (what !== undefined) this.units[frame.from].push({ what, masked, forwarded: false });
    if (frame.kind === 'partial' || frame.kind === 'endOfDataLookAlike') return;
    if (frame.kind === 'content' && !frame.finished) return;
    if (!actions.some(({ kind }) => kind === 'forward')) return;
    for (const unit of this.units[frame.from]) unit.forwarded = true;
  }

  /** In one word a unit, for comparing two runs of the same octets. What is refused may be so before it is whole. */
  verdicts(side: Side): string[] {
    const units =
      this.refused?.side === side ? this.units[side].filter(({ forwarded }) => forwarded) : this.units[side];
    return units.map(({ what, masked, forwarded }) => `${what} ${masked ? 'mask' : forwarded ? 'go' : 'hold'}`);
  }
}

function nameOf(frame: Frame): string | undefined {
  if (frame.kind === 'line') return frame.text;
  if (frame.kind === 'dataEnd') return `(data ${frame.bytes})`;
  return frame.kind === 'countedEnd' && frame.bytes > 0 ? `(counted ${frame.bytes})` : undefined;
}
