import type {
  Addon,
  ContentPlan,
  FlowRecord,
  GateLimits,
  GateOptions,
  GateSample,
  HalfOpenRecord,
  HostOptions,
  LoopOptions,
  SharedBuffers,
} from './addon.ts';
import { FakeBatch, type FakeOrder, readOrders } from './fake-batch.ts';

/** The addon's surface in memory: what a test scripts comes as events, what it is told is kept to be looked at. */
export interface FakeAddon {
  readonly addon: Addon;
  /** Queues as they were opened, in order; the host is the index. */
  readonly opened: readonly HostOptions[];
  readonly configured: LoopOptions[];
  /** Orders outside of a batch. */
  readonly applied: FakeOrder[];
  /** Content plans as they were defined, in order; the number is the index and one. */
  readonly plans: ContentPlan[];
  readonly plansReleased: number[];
  readonly woken: number[];
  readonly closed: number[];
  flows: FlowRecord[];
  readonly counters: Map<string, number>;
  /** Names of interfaces by their index. */
  readonly interfaces: Map<number, string>;
  /** By host; what has none is alive. */
  readonly heartbeatAgesMs: Map<number, number>;
  /** Gates as they were opened, and what they were set to, in order. */
  readonly gates: GateOptions[];
  readonly gateLimits: GateLimits[];
  /** Taken once; then nothing has happened. */
  gateSample: GateSample;
  /** Taking a sample fails with this text. */
  gateBroken: string | undefined;
  gateHeartbeatAgeMs: number;
  readonly gatesClosed: number[];
  /** Entry and generation, in order. */
  readonly halfOpenCleared: (readonly [number, number])[];
  readonly gateCounters: Map<string, number>;
  /** `block` and `unblock` with the address's octets, in order. */
  readonly blocked: (readonly [string, string])[];
  halfOpen: HalfOpenRecord[];
  /** By queue; what has none cannot be read. */
  readonly kernelDrops: Map<number, number>;
  /** Opening this queue fails with this text. */
  refuse: { readonly queue: number; readonly why: string } | undefined;
  /** Has a batch judged and answers the orders. Throws what the judge throws. */
  deliver(write: (batch: FakeBatch) => unknown, timeMs?: number): FakeOrder[];
  /** Words of a refusal, out of the order arena. */
  words(order: FakeOrder): string;
}

/** The binary's counters come in this order; among them one that no reason stands behind. */
export const FAKE_COUNTERS: readonly string[] = [
  ...['received', 'drop-stray', 'drop-refused', 'held', 'max-established'],
  'drop-zone',
];

const NO_SAMPLE: GateSample = { halfOpen: 0, halfOpenPeak: 0, attempts: 0, hosts: [], drops: [] };

export function createFakeAddon(): FakeAddon {
  let served: { readonly buffers: SharedBuffers; readonly judge: (events: number) => number } | undefined;
  const opened: HostOptions[] = [];
  const recorded = { configured: [] as LoopOptions[], applied: [] as FakeOrder[], woken: [] as number[] };
  const fake: FakeAddon = {
    ...recorded,
    opened,
    closed: [],
    plans: [],
    plansReleased: [],
    flows: [],
    counters: new Map(),
    interfaces: new Map(),
    heartbeatAgesMs: new Map(),
    gates: [],
    gateLimits: [],
    gateSample: NO_SAMPLE,
    gateBroken: undefined,
    gateHeartbeatAgeMs: 0,
    gatesClosed: [],
    halfOpenCleared: [],
    gateCounters: new Map(),
    blocked: [],
    halfOpen: [],
    kernelDrops: new Map(),
    refuse: undefined,
    deliver(write, timeMs = 0) {
      if (served === undefined) throw new Error('nobody serves');
      const batch = new FakeBatch(served.buffers, timeMs);
      write(batch);
      const words = served.judge(batch.count);
      return readOrders(new Uint32Array(served.buffers.orders, 0, words));
    },
    words(order) {
      const [start, length] = order.arguments;
      return Buffer.from(served?.buffers.orderArena ?? new ArrayBuffer(0), start, length).toString('latin1');
    },
    addon: {
      ...callsOfOneThread(() => fake),
      openQueue(options) {
        if (fake.refuse?.queue === options.queue) throw new Error(fake.refuse.why);
        return opened.push(options) - 1;
      },
      openCapture: () => 0,
      serve(_host, buffers, judge) {
        const tookOver = served !== undefined;
        served = { buffers, judge };
        return tookOver;
      },
      run: () => 'ended',
    },
  };
  return fake;
}

type Recorded = Omit<Addon, 'openQueue' | 'openCapture' | 'serve' | 'run'>;

function callsOfOneThread(state: () => FakeAddon): Recorded {
  return {
    configure: (_host, options) => void state().configured.push(options),
    definePlan: (_host, plan) => state().plans.push(plan),
    releasePlan: (_host, plan) => void state().plansReleased.push(plan),
    applyOrders(_host, words) {
      state().applied.push(...readOrders(words));
      return true;
    },
    openGate(options) {
      const { gates, refuse } = state();
      if (refuse?.queue === options.queue) throw new Error(refuse.why);
      return gates.push(options) - 1;
    },
    configureGate: (_gate, limits) => void state().gateLimits.push(limits),
    sampleGate() {
      const fake = state();
      if (fake.gateBroken !== undefined) throw new Error(fake.gateBroken);
      const { gateSample } = fake;
      fake.gateSample = { ...NO_SAMPLE, halfOpen: gateSample.halfOpen, halfOpenPeak: gateSample.halfOpen };
      return gateSample;
    },
    gateCounters: () => Float64Array.from(FAKE_COUNTERS, (name) => state().gateCounters.get(name) ?? 0),
    blockHost: (_gate, address) => void state().blocked.push(['block', [...address].join('.')]),
    unblockHost: (_gate, address) => void state().blocked.push(['unblock', [...address].join('.')]),
    halfOpen: (_gate, from, most) =>
      state()
        .halfOpen.filter(({ entry }) => entry >= from)
        .slice(0, most),
    clearHalfOpen(_gate, entry, generation) {
      const { halfOpen, halfOpenCleared } = state();
      halfOpenCleared.push([entry, generation]);
      return entry === -1 ? halfOpen.length : 1;
    },
    gateRank: () => 'none',
    gateHeartbeatAgeMs: () => state().gateHeartbeatAgeMs,
    closeGate: (gate) => void state().gatesClosed.push(gate),
    wake: (host) => void state().woken.push(host),
    heartbeatAgeMs: (host) => state().heartbeatAgesMs.get(host) ?? 0,
    close: (host) => void state().closed.push(host),
    counterNames: () => FAKE_COUNTERS,
    counters: () => Float64Array.from(FAKE_COUNTERS, (name) => state().counters.get(name) ?? 0),
    flows: (_host, from, most) =>
      state()
        .flows.filter((flow) => flow.flow >= from)
        .slice(0, most),
    kernelDrops: (queue) => state().kernelDrops.get(queue) ?? null,
    queueOwner: () => null,
    interfaceName: (index) => state().interfaces.get(index) ?? null,
    sendDatagram: () => undefined,
    rankWorkerThread: () => 'none',
  };
}
