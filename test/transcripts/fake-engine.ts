import type { Fact } from '../../src/inspect/facts.ts';
import type { Action, Frame, FrameMode, Inspector, Side } from '../../src/inspect/inspector.ts';
import type { PolicyHit } from '../../src/inspect/policy-hit.ts';
import { cut, partialLine } from './fake-framer.ts';
import { type ContentScript, FakeWalk } from './fake-walk.ts';
import { describeActions, describeFact, describeFrame, letterOf } from './notation.ts';

/** One judged frame. */
export interface LogEntry {
  readonly from: Side;
  readonly what: string;
  readonly outcome: string;
  readonly refused: boolean;
  /** What the frame told of whole lines, in order. */
  readonly facts: readonly string[];
}

/** What became of one octet a side sent: the octet its peer got instead, or nothing when it was held or swallowed. */
export type Fate = string | undefined;

/** A refused frame's octets in its side's stream: `from` up to, not including, `to`. */
export interface Refusal {
  readonly side: Side;
  readonly from: number;
  readonly to: number;
  readonly words: string;
}

interface Stream {
  sent: string;
  /** As the framer sees it: octets of a message that were overwritten are text. */
  seen: string;
  readonly fates: Fate[];
  /** Where the frame under way begins. */
  frameStart: number;
  /** Up to where octets were let go. */
  released: number;
  mode: FrameMode;
  lines: FrameMode;
  paused: boolean;
  lastPartial: string;
}

/** What may only be said of a prefix when it is refused: of one that goes on, its line will say it again. */
const SAID_ONCE: ReadonlySet<Action['kind']> = new Set(['alert', 'classMatched', 'content', 'learn']);
const PARTIAL_ANSWERS: ReadonlySet<Action['kind']> = new Set(['forward', 'mask', 'refuse', ...SAID_ONCE]);

/** Drives an inspector as the engine does, over the reference framer, and keeps what each peer would receive. */
export class FakeEngine<State, Policy> {
  readonly log: LogEntry[] = [];
  readonly streams: Readonly<Record<Side, Stream>>;
  readonly hits: PolicyHit[] = [];
  readonly learned: Extract<Action, { kind: 'learn' }>[] = [];
  refusal: Refusal | undefined;
  private walk: FakeWalk | undefined;
  private readonly content: ContentScript;
  private state: State;
  private readonly inspector: Inspector<State, Policy>;
  private readonly policy: Policy;

  /** `content` says what walks over messages tell; without it they find nothing. */
  constructor(inspector: Inspector<State, Policy>, policy: Policy, content: ContentScript = () => []) {
    this.inspector = inspector;
    this.content = content;
    this.policy = policy;
    this.state = inspector.initial;
    this.streams = {
      initiator: newStream(inspector.lineBytesMax.initiator),
      responder: newStream(inspector.lineBytesMax.responder),
    };
    for (const action of inspector.begin ?? []) this.begin(action);
  }

  private begin(action: Action): void {
    if (action.kind === 'pause' || action.kind === 'resume') this.streams[action.side].paused = action.kind === 'pause';
    if (action.kind === 'frameAs') this.setMode(action.from, action.mode, true);
  }

  get stage(): string {
    return this.inspector.stage(this.state);
  }

  /** One segment of `from`. Ends as a packet does: everything that is not held by a pause has been let go. */
  feed(from: Side, octets: string): void {
    if (this.refusal !== undefined) return;
    const stream = this.streams[from];
    stream.sent += octets;
    stream.seen += octets;
    for (let i = 0; i < octets.length; i += 1) stream.fates.push(undefined);
    // A resumed side goes first, so that the order does not depend on what else the segment carries.
    do {
      while (this.judgeNextFrame(other(from)));
      this.letGoWhatIsUnfinished(other(from));
    } while (this.judgeNextFrame(from));
    this.letGoWhatIsUnfinished(from);
    this.checkNothingStalls('initiator');
    this.checkNothingStalls('responder');
  }

  /** What the peer of `from` got so far, without gaps. */
  receivedFrom(from: Side): string {
    const words = from === 'responder' ? (this.refusal?.words ?? '') : '';
    return this.streams[from].fates.join('') + words;
  }

  private judgeNextFrame(side: Side): boolean {
    const stream = this.streams[side];
    if (stream.paused || this.refusal !== undefined) return false;
    const found = cut(side, stream.mode, stream.seen.slice(stream.frameStart));
    if (found === undefined) return false;
    const { frame, octets } = found;
    const end = stream.frameStart + octets;
    if (!this.judgeContent(side, end)) return true;
    // Behind a walk the last octet waits for what the walk has left to tell.
    if (frame.kind === 'countedEnd') release(stream, this.walk === undefined ? end : end - 1, []);
    if (frame.kind === 'countedEnd' || frame.kind === 'dataEnd') stream.mode = stream.lines;
    const actions = this.step(frame, end);
    if (actions.some((action) => action.kind === 'content' && action.what === 'finish')) this.finishWalk(end);
    if (frame.kind === 'endOfDataLookAlike' && this.refusal === undefined) {
      // The message goes on, and the frame with it.
      stream.seen = `${stream.seen.slice(0, end - 1)} ${stream.seen.slice(end)}`;
      return true;
    }
    stream.frameStart = end;
    stream.lastPartial = '';
    return true;
  }

  private step(frame: Frame, end: number): readonly Action[] {
    const { state, actions, facts } = this.inspector.step(this.state, frame, this.policy);
    this.state = state;
    checkAnswer(frame, actions);
    this.carryOut(frame, actions, end);
    this.note(frame, actions, facts);
    return actions;
  }

  /** Has what the walk finds in octets before `end` judged, each where it stands; false when that was refused. */
  private judgeContent(side: Side, end: number): boolean {
    const { mode, sent, frameStart } = this.streams[side];
    if (side === 'responder') return true;
    for (;;) {
      const found = this.walk?.take(mode.kind, sent, frameStart, end);
      if (found === undefined) return true;
      release(this.streams.initiator, found.at, []);
      this.step({ kind: 'content', from: side, facts: found.facts, finished: false }, found.at + 1);
      if (this.refusal !== undefined) return false;
    }
  }

  /** The frame that was put aside stays held until the rest is judged. */
  private finishWalk(end: number): void {
    if (this.walk === undefined) throw new Error('a walk is finished that has not begun');
    const facts = this.walk.finish();
    this.walk = undefined;
    this.step({ kind: 'content', from: 'initiator', facts, finished: true }, end);
  }

  private letGoWhatIsUnfinished(side: Side): void {
    const stream = this.streams[side];
    if (stream.paused || this.refusal !== undefined) return;
    if (stream.mode.kind === 'lines') this.askAboutPartial(side);
    else if (stream.mode.kind !== 'tls' && this.judgeContent(side, stream.sent.length))
      release(stream, stream.sent.length, []);
    if (stream.mode.kind === 'opaque') stream.frameStart = stream.sent.length;
  }

  private askAboutPartial(side: Side): void {
    const stream = this.streams[side];
    const pending = stream.sent.slice(stream.frameStart);
    const frame = partialLine(side, stream.mode, pending);
    if (frame === undefined) {
      release(stream, stream.sent.length, []);
      return;
    }
    if (pending === stream.lastPartial) return;
    stream.lastPartial = pending;
    const { state, actions, facts = [] } = this.inspector.step(this.state, frame, this.policy);
    if (state !== this.state) throw new Error(`a partial frame changed the state: ${describeFrame(frame)}`);
    const odd = actions.find((action) => !PARTIAL_ANSWERS.has(action.kind));
    if (odd !== undefined) throw new Error(`a partial frame was answered with ${odd.kind}: ${describeFrame(frame)}`);
    const refused = actions.some((action) => action.kind === 'refuse');
    const said = actions.find((action) => SAID_ONCE.has(action.kind));
    if (!refused && said !== undefined) {
      throw new Error(`a partial frame has ${said.kind}, and its line will again: ${describeFrame(frame)}`);
    }
    if (!refused && facts.some((fact) => fact.kind !== 'command' || fact.whole)) {
      throw new Error(`a partial frame tells what its line will tell: ${describeFrame(frame)}`);
    }
    this.carryOut(frame, actions, stream.sent.length);
    if (refused) this.note(frame, actions, facts);
  }

  private carryOut(frame: Frame, actions: readonly Action[], end: number): void {
    for (const action of actions) {
      switch (action.kind) {
        case 'forward':
          // Of a message only the octet that told is the frame's own.
          if (frame.kind === 'endOfDataLookAlike') release(this.streams[frame.from], end - 1, []);
          release(
            this.streams[frame.from],
            end,
            actions,
            frame.kind === 'endOfDataLookAlike' ? end - 1 : this.streams[frame.from].frameStart,
          );
          break;
        case 'refuse':
          this.refusal = {
            side: frame.from,
            from: this.streams[frame.from].frameStart,
            to: end,
            words: action.how === 'words' ? action.words : '',
          };
          break;
        case 'pause':
          this.streams[action.side].paused = true;
          break;
        case 'resume':
          this.streams[action.side].paused = false;
          break;
        case 'frameAs':
          this.setMode(action.from, action.mode, action.from === frame.from);
          break;
        case 'stopInspecting':
          this.setMode('responder', { kind: 'opaque' }, frame.from === 'responder');
          if (action.because === 'tls') this.setMode('initiator', { kind: 'opaque' }, frame.from === 'initiator');
          break;
        case 'inspectAgain':
          for (const side of ['initiator', 'responder'] as const) {
            this.setMode(side, this.streams[side].lines, side === frame.from);
          }
          break;
        case 'content':
          this.steerWalk(action.what);
          break;
        case 'classMatched':
          this.hits.push(action.hit);
          break;
        case 'learn':
          this.learned.push(action);
          break;
        case 'mask':
        case 'alert':
          break;
      }
    }
  }

  private steerWalk(what: Extract<Action, { kind: 'content' }>['what']): void {
    if (what === 'drop') this.walk = undefined;
    else if (what !== 'finish') this.walk = new FakeWalk(this.content, what);
  }

  private setMode(side: Side, mode: FrameMode, own: boolean): void {
    if (mode.kind === 'counted' && !(mode.bytes > 0))
      throw new Error('a counted run of no octets has no end to wait for');
    const stream = this.streams[side];
    // A line under way on the other side stays that line; only its budget changes.
    const sameLine = stream.mode.kind === 'lines' && mode.kind === 'lines';
    if (!own && !sameLine) stream.frameStart = Math.max(stream.frameStart, stream.released);
    stream.mode = mode;
    if (mode.kind === 'lines') stream.lines = mode;
  }

  private note(frame: Frame, actions: readonly Action[], facts: readonly Fact[] = []): void {
    this.log.push({
      from: frame.from,
      what: describeFrame(frame),
      outcome: describeActions(frame, actions),
      refused: actions.some((action) => action.kind === 'refuse'),
      facts: facts.map(describeFact),
    });
  }

  private checkNothingStalls(side: Side): void {
    const stream = this.streams[side];
    if (stream.paused || this.refusal !== undefined || stream.mode.kind === 'tls') return;
    if (stream.released < stream.sent.length) {
      throw new Error(`${letterOf(side)} stalls: ${JSON.stringify(stream.sent.slice(stream.released))} is not let go`);
    }
  }
}

export const other = (side: Side): Side => (side === 'initiator' ? 'responder' : 'initiator');

function newStream(budgetBytes: number): Stream {
  const mode: FrameMode = { kind: 'lines', budgetBytes };
  return {
    sent: '',
    seen: '',
    fates: [],
    frameStart: 0,
    released: 0,
    mode,
    lines: mode,
    paused: false,
    lastPartial: '',
  };
}

/** Lets octets go up to `end`; masks are counted from `start`, the frame's first octet, and octets already gone stay as they went. */
function release(stream: Stream, end: number, actions: readonly Action[], start = stream.frameStart): void {
  for (let i = stream.released; i < end; i += 1) {
    const offset = i - start;
    const mask = actions.find(
      (action) => action.kind === 'mask' && offset >= action.start && offset < action.start + action.length,
    );
    stream.fates[i] = mask?.kind === 'mask' ? mask.fill : stream.sent[i];
  }
  stream.released = Math.max(stream.released, end);
}

function checkAnswer(frame: Frame, actions: readonly Action[]): void {
  const answers = actions.filter((action) => action.kind === 'forward' || action.kind === 'refuse').length;
  const aside = actions.some((action) => action.kind === 'content' && action.what === 'finish');
  if (aside && answers > 0) throw new Error(`${describeFrame(frame)} is put aside and answered at once`);
  if (aside) return;
  if (answers === 1 || (frame.kind === 'countedEnd' && answers === 0)) return;
  throw new Error(`${describeFrame(frame)} got ${answers} answers, not one: ${describeActions(frame, actions)}`);
}
