import type { Endpoint } from '../firewall/snapshot.ts';
import type { Fact } from '../inspect/facts.ts';
import { STARTTLS_OFFER_DAYS_MAX, STARTTLS_SERVERS_MAX } from '../limits.ts';

export type StarttlsOffer = Extract<Fact, { kind: 'starttls' }>['offer'];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Server {
  readonly offeredMs: number;
  /** When it was last told of that the server stopped. */
  readonly alarmedMs: number;
}

/** A server as it is remembered: its address with its port, because each port has its own extensions. */
export function serverKey({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}

/**
 * Which servers offered STARTTLS or STLS, as far as one worker saw it. The one heard of longest ago goes; one that has
 * not offered it for STARTTLS_OFFER_DAYS_MAX days is another server now.
 */
export class StarttlsMemory {
  readonly #nowMs: () => number;
  /** In the order in which they were last heard of. */
  readonly #servers = new Map<string, Server>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#servers.size;
  }

  /** Whether this server offered it. */
  offered(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  /** Takes note of an offer, or of its lack; true where a server stopped that offered it, once a server and hour. */
  note(key: string, offer: StarttlsOffer): boolean {
    const nowMs = this.#nowMs();
    const known = this.#find(key);
    if (offer === 'offered') {
      this.#put(key, { offeredMs: nowMs, alarmedMs: known?.alarmedMs ?? Number.NEGATIVE_INFINITY });
      return false;
    }
    if (known === undefined) return false;
    const due = nowMs - known.alarmedMs >= HOUR_MS;
    this.#put(key, due ? { ...known, alarmedMs: nowMs } : known);
    return due;
  }

  #find(key: string): Server | undefined {
    const known = this.#servers.get(key);
    if (known === undefined || this.#nowMs() - known.offeredMs < STARTTLS_OFFER_DAYS_MAX * DAY_MS) return known;
    this.#servers.delete(key);
    return undefined;
  }

  #put(key: string, server: Server): void {
    this.#servers.delete(key);
    if (this.#servers.size >= STARTTLS_SERVERS_MAX) {
      for (const oldest of this.#servers.keys()) {
        this.#servers.delete(oldest);
        break;
      }
    }
    this.#servers.set(key, server);
  }
}
