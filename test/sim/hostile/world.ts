import { PacketEngine } from '../../../src/engine/packet-engine.ts';
import type { WorkerSettings } from '../../../src/engine/worker-protocol.ts';
import type { Addon, PatternAddon } from '../../../src/native/addon.ts';
import { Random } from '../random.ts';
import { scriptOf } from './clients.ts';
import type { Fault } from './faults.ts';
import { Flow } from './flow.ts';
import { GrowingCapture } from './growing-capture.ts';
import { Judgements } from './judged.ts';
import { Network } from './network.ts';
import { type ReadSegment, read } from './packets.ts';
import { FAIR, type Weather, weatherOf } from './weather.ts';

const PORTS = { smtp: 25, pop3: 110, imap: 143 } as const;
const TLS_PORTS = { smtp: 465, pop3: 995, imap: 993 } as const;
const QUANTUM_MS = 10;
const FIRST_CLIENT_PORT = 20_000;
/** Behind these every timer has run out: finwait, reassembly, a refusal's minute, the idle hour. */
const AFTERWARDS_MS = [6_000, 70_000, 3_700_000, 3_710_000, 7_500_000, 7_600_000];
const ROUNDS_MAX = 20_000;
const LOG_LINES_MAX = 5_000;

/** What one run came to. */
export interface Run {
  readonly weather: Weather;
  /** Each with its twin: the same script under the same policy, in fair weather. */
  readonly flows: readonly (readonly [rough: Flow, fair: Flow])[];
  readonly counters: Readonly<Record<string, number>>;
  readonly flowsLeft: number;
  readonly ends: readonly string[];
  readonly log: readonly string[];
  /** What happened to the rough flows, and how often. */
  readonly happened: ReadonlyMap<string, number>;
}

export interface Tools {
  readonly addon: Addon;
  readonly patterns: PatternAddon;
  readonly settings: readonly WorkerSettings[];
  /** For showing that the oracle sees it. */
  readonly fault?: Fault;
}

/** Plays the run of this number. Throws what the engine throws. */
export function playWorld(tools: Tools, seed: number): Run {
  return new World(tools, new Random(seed)).play();
}

function show(packet: Buffer): string {
  const { from, clientPort, sequence, acknowledgement, flags, payload, timestamps } = read(packet) ?? {};
  const stamps = timestamps === undefined ? '' : ` ts ${timestamps.join('/')}`;
  const places = `seq ${sequence} ack ${acknowledgement} flags ${flags}${stamps}`;
  return `${clientPort} ${from} ${places} ${JSON.stringify(payload)}`;
}

class World {
  readonly #tools: Tools;
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #capture = new GrowingCapture();
  readonly #rough: Flow[] = [];
  readonly #fair: Flow[] = [];
  readonly #byPort = new Map<number, Flow>();
  readonly #ends: string[] = [];
  readonly #log: string[] = [];
  readonly #happened = new Map<string, number>();
  readonly #count = (what: string): void => void this.#happened.set(what, (this.#happened.get(what) ?? 0) + 1);
  #network: Network;
  #engine: PacketEngine | undefined;
  #now = 1_000;
  #policy: number;
  #reloads: { readonly at: number; readonly policy: number }[] = [];
  #twin = 0;
  #afterwards = 0;
  #rounds = 0;
  /** Packets that the firewall was given to read. */
  #added = 0;
  #failed: unknown;

  constructor(tools: Tools, random: Random) {
    this.#tools = tools;
    this.#random = random;
    this.#weather = weatherOf(random);
    this.#network = new Network(random, this.#weather, this.#count);
    this.#policy = random.below(tools.settings.length);
    for (let count = random.below(3); count > 0; count -= 1) {
      this.#reloads.push({ at: 1_000 + random.below(3_000), policy: random.below(tools.settings.length) });
    }
    for (let count = 1 + random.below(3); count > 0; count -= 1) this.#addFlow();
  }

  play(): Run {
    const { addon, patterns } = this.#tools;
    try {
      this.#capture.ring(this.#now);
      const host = addon.openCapture(this.#capture.input, this.#capture.output);
      this.#engine = new PacketEngine({
        ...{ addon, patterns, host, worker: 0, settings: this.#settings() },
        log: (message) => this.#note(JSON.stringify(message)),
        observe: ({ kind, what, session, flow, drop }) => {
          if (kind === 'open' && session !== undefined) this.#opened(session);
          if (kind === 'close') this.#ends.push(what);
          if (kind === 'drop' && drop?.source.port === 9) this.#rang();
          else {
            const port = flow?.initiator.port ?? session?.initiator.port ?? drop?.source.port;
            this.#note(
              `${this.#now} ${kind} ${what} ${port} ${drop?.destination.port ?? ''} ${session?.refusedFor ?? ''}`,
            );
          }
        },
      });
      this.#engine.run();
      const { counters: counted } = this.#engine.statistics();
      const held = (counted.held ?? 0) + (this.#tools.fault?.heldAtTheEnd ?? 0);
      const counters = { ...counted, held };
      const flowsLeft = addon.flows(host, 0, 100).length;
      this.#engine.close();
      if (this.#failed !== undefined) throw this.#failed;
      const flows = this.#rough.map((flow, index) => [flow, this.#fair[index] ?? flow] as const);
      const [weather, happened, ends, log] = [this.#weather, this.#happened, this.#ends, this.#log];
      return { weather, flows, counters, flowsLeft, ends, log, happened };
    } finally {
      this.#capture.remove();
    }
  }

  #note(line: string): void {
    if (this.#log.length < LOG_LINES_MAX) this.#log.push(line);
  }

  #settings(): WorkerSettings {
    const settings = this.#tools.settings[this.#policy];
    if (settings === undefined) throw new Error('no such policy');
    return settings;
  }

  #opened(session: Parameters<Judgements['listen']>[0]): void {
    const flow = this.#byPort.get(session.initiator.port);
    if (flow === undefined) return;
    flow.judged = new Judgements(this.#policy);
    flow.judged.listen(session, this.#tools.fault);
  }

  #addFlow(): void {
    const random = this.#random;
    const script = scriptOf(random);
    const startMs = 1_000 + random.below(2_000);
    this.#rough.push(this.#made({ script, startMs, fair: false }, this.#rough.length));
  }

  #made({ script, startMs, fair }: Pick<Flow['options'], 'script' | 'startMs' | 'fair'>, index: number): Flow {
    const clientPort = FIRST_CLIENT_PORT + index + (fair ? 1_000 : 0);
    const ports = script.implicitTls ? TLS_PORTS : PORTS;
    const ends = { version: this.#random.pick([4, 6] as const), clientPort, serverPort: ports[script.protocol] };
    const emit: Flow['options']['emit'] = (flow, segment) => this.#network.sent(flow, segment, this.#now);
    const flow = new Flow({ ends, script, startMs, fair, random: this.#random, emit, happened: this.#count });
    this.#byPort.set(clientPort, flow);
    return flow;
  }

  /** The loop has read everything: the network and the peers go on, and it gets more to read, or ends. */
  #rang(): void {
    try {
      if (this.#rounds++ > ROUNDS_MAX) throw new Error('the run does not come to an end');
      for (const packet of this.#capture.forwarded()) {
        const segment = read(packet);
        const flow = segment && this.#byPort.get(segment.clientPort);
        if (segment === undefined || flow === undefined) continue;
        if (process.env.POSTERN_SIM_PACKETS !== undefined) this.#note(`${this.#now} out ${show(packet)}`);
        for (const left of this.#tools.fault?.leaves?.(segment) ?? [segment]) this.#left(flow, left);
      }
      if (this.#goOn()) this.#capture.ring(this.#now);
    } catch (error) {
      this.#failed ??= error;
    }
  }

  #left(flow: Flow, segment: ReadSegment): void {
    flow.letThrough(segment);
    this.#network.forwarded(flow, segment, this.#now);
  }

  #leak(packet: Buffer): void {
    const { fault } = this.#tools;
    if (fault?.passesAt === undefined) return;
    const segment = read(packet);
    const flow = segment && this.#byPort.get(segment.clientPort);
    if (segment !== undefined && flow !== undefined && fault.passesAt(segment)) this.#left(flow, segment);
  }

  /** Until the firewall has something to read, or time must pass for it; false at the end. */
  #goOn(): boolean {
    for (let empty = 0; empty < ROUNDS_MAX; empty += 1) {
      const before = this.#added;
      const phase = this.#step();
      if (phase !== 'went') return phase === 'waited';
      if (this.#added > before) return true;
    }
    throw new Error('nobody says anything');
  }

  #step(): 'went' | 'waited' | 'over' {
    const current = this.#fair.length === 0 ? this.#rough : this.#fair.slice(-1);
    const next = Math.min(this.#network.next(), ...current.filter(({ over }) => !over).map((flow) => flow.nextTimer()));
    if (next === Number.POSITIVE_INFINITY) return this.#nextPhase();
    this.#now = Math.max(this.#now + QUANTUM_MS, Math.ceil(next / QUANTUM_MS) * QUANTUM_MS);
    this.#reload();
    this.#network.deliver(this.#now);
    for (const flow of current) flow.advance(this.#now);
    this.#network.arrive(this.#now, (packet) => {
      this.#leak(packet);
      this.#added += 1;
      this.#capture.add(packet, this.#now);
      if (process.env.POSTERN_SIM_PACKETS !== undefined) this.#note(`${this.#now} in  ${show(packet)}`);
    });
    return 'went';
  }

  #reload(): void {
    const due = this.#reloads.find(({ at }) => at <= this.#now);
    if (due === undefined) return;
    this.#reloads = this.#reloads.filter((reload) => reload !== due);
    this.#count('reload');
    this.#use(due.policy);
  }

  #use(policy: number): void {
    this.#policy = policy;
    this.#engine?.configure(this.#settings());
  }

  /** The twins one by one in fair weather; then time passes until nothing may be left. */
  #nextPhase(): 'went' | 'waited' | 'over' {
    const rough = this.#rough[this.#twin++];
    if (rough !== undefined) {
      this.#reloads = [];
      this.#network = new Network(this.#random, FAIR, this.#count);
      this.#now += 1_000;
      this.#use(rough.judged?.policy ?? this.#policy);
      const { script } = rough.options;
      this.#fair.push(this.#made({ script, startMs: this.#now + QUANTUM_MS, fair: true }, this.#fair.length));
      return 'went';
    }
    const wait = AFTERWARDS_MS[this.#afterwards++];
    if (wait === undefined) return 'over';
    this.#now += wait;
    return 'waited';
  }
}
