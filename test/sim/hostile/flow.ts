import type { Random } from '../random.ts';
import { AnswerWatch } from './answers.ts';
import type { Judgements } from './judged.ts';
import type { Ends, ReadSegment, Segment } from './packets.ts';
import { ServerScript } from './server.ts';
import type { Script } from './steps.ts';
import { TcpPeer } from './tcp-peer.ts';
import { Wiretap } from './wiretap.ts';

const LIFE_MS_MAX = 40_000;

export interface FlowOptions {
  readonly ends: Ends;
  readonly script: Script;
  readonly startMs: number;
  readonly random: Random;
  /** As fair as can be: whole segments, no trouble. */
  readonly fair: boolean;
  emit(flow: Flow, segment: Segment): void;
  happened(what: string): void;
}

const segmentBytesOf = (random: Random): number =>
  random.pick([1_400, 0, 1 + random.below(30), random.below(8) === 0 ? 1 : 60]);

/** A scripted client and its server, each with a TCP of its own, and what went between them. */
export class Flow {
  readonly options: FlowOptions;
  readonly client: TcpPeer;
  readonly server: TcpPeer;
  readonly serverScript: ServerScript;
  readonly tap: Wiretap;
  readonly answers: AnswerWatch;
  judged: Judgements | undefined;
  #step = 0;
  #stepFrom = 0;
  #serverRead = 0;
  #started = false;
  #greeted = false;

  constructor(options: FlowOptions) {
    this.options = options;
    const { random, script, fair, ends } = options;
    const happened = (what: string): void => {
      if (!fair) options.happened(what);
    };
    const shared = {
      timestamps: !fair && random.chance(40),
      padded: !fair && ends.version === 6 && random.chance(25),
      ...{ random, happened },
      emit: (segment: Segment) => options.emit(this, segment),
    };
    const peer = (side: 'initiator' | 'responder') =>
      new TcpPeer({
        ...shared,
        side,
        initial: random.pick([1_000, 0xffffffff - random.below(300), 0x7fffffff - random.below(300)]),
        segmentBytes: fair ? 1_400 : script.isLarge ? random.pick([1_400, 9_000, 65_000]) : segmentBytesOf(random),
        bufferBytes: fair || script.isLarge || random.chance(70) ? 0 : 20 + random.below(400),
        opening: fair ? 'plain' : random.pick(['plain', 'plain', 'plain', 'plain', 'octets', 'simultaneous'] as const),
        overlap: random.chance(50) ? 'first' : 'last',
      });
    this.client = peer('initiator');
    this.server = peer('responder');
    this.serverScript = new ServerScript(script);
    this.tap = new Wiretap((side) => !this.serverScript.reader.encrypted && this.judged?.unread.has(side) !== true);
    this.answers = new AnswerWatch(script);
    if (shared.padded) happened('flow behind a Destination Options header');
  }

  /** The firewall has let this through. */
  letThrough(segment: ReadSegment): void {
    this.tap.take(segment);
    if (segment.from === 'responder' && segment.payload !== '') {
      const { tap, judged } = this;
      // Behind a login a server says what it likes.
      const isUncounted = judged?.refused !== undefined || judged?.unread.has('responder') === true;
      this.answers.look(tap.text('initiator'), tap.text('responder'), isUncounted);
    }
  }

  get over(): boolean {
    return this.#started && this.client.over && (this.server.over || this.server.state === 'listen');
  }

  nextTimer(): number {
    if (!this.#started) return this.options.startMs;
    const timers = [this.client.nextTimer(), this.server.nextTimer(), this.options.startMs + LIFE_MS_MAX];
    return Math.min(...timers.filter((timer) => timer !== undefined));
  }

  /** Timers, and what the programs on both ends do next. */
  advance(now: number): void {
    if (!this.#started && now >= this.options.startMs) {
      this.#started = true;
      this.client.connect(now);
    }
    this.client.tick(now);
    this.server.tick(now);
    if (this.#started && !this.over && now >= this.options.startMs + LIFE_MS_MAX) {
      this.client.abort();
      this.server.abort();
    }
    this.#serve();
    this.#talk();
  }

  #serve(): void {
    const { server, serverScript } = this;
    if (server.state !== 'open') return;
    if (!this.#greeted) {
      this.#greeted = true;
      server.write(serverScript.greeting());
      const { serverFault } = this.options.script;
      if (serverFault !== 'none' && !this.options.fair) this.options.happened(`server: ${serverFault}`);
    }
    const answer = serverScript.hear(server.text.slice(this.#serverRead));
    this.#serverRead = server.text.length;
    if (answer !== '') server.write(answer);
    if (serverScript.over || server.peerFinished) server.close();
  }

  #talk(): void {
    const { client } = this;
    if (client.state !== 'open') return;
    const { steps } = this.options.script;
    while (steps[this.#step]?.until(client.text.slice(this.#stepFrom)) === true) {
      this.#stepFrom = client.text.length;
      this.#step += 1;
      const next = steps[this.#step];
      if (next === undefined) continue;
      client.write(next.send);
      if (next.what !== undefined && !this.options.fair) this.options.happened(next.what);
    }
    if (this.#step >= steps.length || client.peerFinished || / refused: |\* BYE/.test(client.text)) client.close();
  }
}
