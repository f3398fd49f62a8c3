/**
 * What the action `learn` records: who sends to whom through us, in bounds and for as long as it was asked for. Text is
 * octets, latin-1; case of letters is ASCII's, for UTF-8 (RFC 6531) has no case in octets.
 */
import { LEARNED_CHANGES_MAX, LEARNED_MAX, LEARNED_SENDER_BYTES_MAX } from '../limits.ts';
import { parsePath } from '../mail/address.ts';
import type { LearnedView } from './application/environment.ts';

export interface LearnedEntry {
  /** Lower-case; empty for the null path, of which only the client is learned. */
  readonly sender: string;
  /** The sender's domain, lower-case; empty where it has none. */
  readonly domain: string;
  /** The initiator's network address as `show` prints it. */
  readonly client: string;
  /** Unix times in milliseconds. */
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  readonly hits: number;
  /** Absent: it does not expire. */
  readonly expiresAtMs?: number;
}

/** What came about since a revision, to be applied in order. Plain data: it goes to the workers. */
export interface LearnedChanges {
  readonly revision: number;
  /** `put` is everything, and what else was known is gone. */
  readonly whole: boolean;
  readonly put: readonly LearnedEntry[];
  /** Keys of entries that are gone. */
  readonly removed: readonly string[];
}

export interface Learning {
  /** As it stood in MAIL FROM, without brackets. */
  readonly sender: string;
  readonly client: string;
  /** Absent: for as long as there is room. */
  readonly minutes?: number;
}

const MINUTE_MS = 60_000;
/** Expired entries count no more at once; that they leave is looked after so often. */
const EXPIRY_PERIOD_MS = 1_000;

/** One entry a sender and client. A client's address holds no NUL. */
export function learnedKey({ client, sender }: Pick<LearnedEntry, 'client' | 'sender'>): string {
  return `${client}\0${sender}`;
}

/** The entry as it is after `learning`; nothing for a sender that no path can hold (RFC 5321 4.5.3.1). */
export function learn(known: LearnedEntry | undefined, learning: Learning, nowMs: number): LearnedEntry | undefined {
  const sender = lower(learning.sender);
  if (sender.length > LEARNED_SENDER_BYTES_MAX) return undefined;
  const fresh = known === undefined || isExpired(known, nowMs) ? undefined : known;
  const expiresAtMs = laterOf(fresh, learning.minutes === undefined ? undefined : nowMs + learning.minutes * MINUTE_MS);
  return {
    sender,
    domain: lower(parsePath(`<${sender}>`).domain),
    client: lower(learning.client),
    firstSeenAtMs: fresh?.firstSeenAtMs ?? nowMs,
    lastSeenAtMs: nowMs,
    hits: (fresh?.hits ?? 0) + 1,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  };
}

/** A rule that learns for a short while takes nothing away from one that learns for longer. */
function laterOf(known: LearnedEntry | undefined, expiresAtMs: number | undefined): number | undefined {
  if (expiresAtMs === undefined || known === undefined) return expiresAtMs;
  return known.expiresAtMs === undefined ? undefined : Math.max(known.expiresAtMs, expiresAtMs);
}

export function isExpired({ expiresAtMs }: LearnedEntry, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}

function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * Takes the keys of a map in its order, each of which leaves the map then. A new iterator each time would pass all the
 * places that the keys before have left.
 */
class OldestKeys {
  readonly #map: ReadonlyMap<string, unknown>;
  #keys: Iterator<string>;

  constructor(map: ReadonlyMap<string, unknown>) {
    this.#map = map;
    this.#keys = map.keys();
  }

  next(): string | undefined {
    const key = this.#keys.next();
    if (key.done !== true) return key.value;
    this.#keys = this.#map.keys();
    return this.#keys.next().value;
  }
}

/** All that is learned, LEARNED_MAX entries at most: the one that was not seen for longest goes first. */
export class LearnedTable {
  /** Longest not seen first. */
  readonly #entries = new Map<string, LearnedEntry>();
  /** Keys that changed, with the revision that did it, oldest first. */
  readonly #changed = new Map<string, number>();
  readonly #longestUnseen = new OldestKeys(this.#entries);
  readonly #firstChanged = new OldestKeys(this.#changed);
  #revision = 0;
  /** Before it changes are told as a whole. */
  #changesSince = 0;
  #nextExpiryMs = Number.POSITIVE_INFINITY;
  #lastExpiryMs = Number.NEGATIVE_INFINITY;

  /** Begins with what was kept; what is beyond the bound or expired is left out. */
  constructor(kept: Iterable<LearnedEntry> = [], nowMs = 0) {
    const entries = [...kept].filter((entry) => !isExpired(entry, nowMs));
    entries.sort((one, two) => one.lastSeenAtMs - two.lastSeenAtMs);
    for (const entry of entries.slice(-LEARNED_MAX)) this.#put(entry);
  }

  get size(): number {
    return this.#entries.size;
  }

  get revision(): number {
    return this.#revision;
  }

  get(key: string): LearnedEntry | undefined {
    return this.#entries.get(key);
  }

  /** Every entry that holds, last seen first. */
  entries(nowMs: number): readonly LearnedEntry[] {
    return [...this.#entries.values()].filter((entry) => !isExpired(entry, nowMs)).reverse();
  }

  /** Answers the keys that changed. */
  record(learning: Learning, nowMs: number): readonly string[] {
    const key = learnedKey({ client: lower(learning.client), sender: lower(learning.sender) });
    const entry = learn(this.#entries.get(key), learning, nowMs);
    if (entry === undefined) return [];
    this.#put(entry);
    const oldest = this.#entries.size > LEARNED_MAX ? this.#longestUnseen.next() : undefined;
    if (oldest === undefined) return [key];
    this.#remove(oldest);
    return [key, oldest];
  }

  /** Drops what has expired, if it is time to look; answers the keys that are gone. */
  expire(nowMs: number): readonly string[] {
    if (nowMs < this.#nextExpiryMs || nowMs < this.#lastExpiryMs + EXPIRY_PERIOD_MS) return [];
    this.#lastExpiryMs = nowMs;
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    const gone: string[] = [];
    for (const [key, entry] of this.#entries) {
      if (isExpired(entry, nowMs)) gone.push(key);
      else this.#noteExpiry(entry);
    }
    for (const key of gone) this.#remove(key);
    return gone;
  }

  /** Forgets a sender, `@` and a domain, a client, or all; answers the keys that are gone. */
  clear(which: string): readonly string[] {
    const wanted = lower(which);
    const isMeant = ({ sender, domain, client }: LearnedEntry): boolean =>
      wanted === 'all' ||
      wanted === client ||
      (wanted !== '' && wanted === sender) ||
      (domain !== '' && wanted === `@${domain}`);
    const gone = [...this.#entries].filter(([, entry]) => isMeant(entry)).map(([key]) => key);
    for (const key of gone) this.#remove(key);
    return gone;
  }

  /** What to tell one who knows everything up to `revision`; nothing where there is nothing new. */
  changesSince(revision: number): LearnedChanges | undefined {
    if (revision === this.#revision) return undefined;
    if (revision < this.#changesSince || revision > this.#revision) {
      return { revision: this.#revision, whole: true, put: [...this.#entries.values()], removed: [] };
    }
    const keys: string[] = [];
    for (const [key, changedAt] of [...this.#changed].reverse()) {
      if (changedAt <= revision) break;
      keys.push(key);
    }
    const put = keys.reverse().flatMap((key) => this.#entries.get(key) ?? []);
    const removed = keys.filter((key) => !this.#entries.has(key));
    return { revision: this.#revision, whole: false, put, removed };
  }

  #put(entry: LearnedEntry): void {
    const key = learnedKey(entry);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#noteExpiry(entry);
    this.#noteChange(key);
  }

  #remove(key: string): void {
    this.#entries.delete(key);
    this.#noteChange(key);
  }

  #noteExpiry({ expiresAtMs }: LearnedEntry): void {
    if (expiresAtMs !== undefined) this.#nextExpiryMs = Math.min(this.#nextExpiryMs, expiresAtMs);
  }

  #noteChange(key: string): void {
    this.#revision += 1;
    this.#changed.delete(key);
    this.#changed.set(key, this.#revision);
    if (this.#changed.size <= LEARNED_CHANGES_MAX) return;
    const oldest = this.#firstChanged.next();
    if (oldest === undefined) return;
    this.#changesSince = this.#changed.get(oldest) ?? 0;
    this.#changed.delete(oldest);
  }
}

/** What is learned as a worker asks it: one look, whatever the number of entries. */
export class LearnedIndex implements LearnedView {
  readonly #entries = new Map<string, LearnedEntry>();
  readonly #senders = new Facets();
  readonly #domains = new Facets();
  readonly #clients = new Facets();
  readonly #nowMs: () => number;

  /** `nowMs`: the Unix time in milliseconds. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  sender(address: string): boolean {
    return this.#senders.has(lower(address), this.#nowMs());
  }

  domain(domain: string): boolean {
    return this.#domains.has(lower(domain), this.#nowMs());
  }

  client(address: string): boolean {
    return this.#clients.has(lower(address), this.#nowMs());
  }

  /** What this worker learned itself counts at once; the store's own word of it comes later and changes nothing. */
  learn(learning: Learning): void {
    const key = learnedKey({ client: lower(learning.client), sender: lower(learning.sender) });
    const entry = learn(this.#entries.get(key), learning, this.#nowMs());
    // Where there is no room, the store decides what goes, and says so.
    if (entry !== undefined && (this.#entries.has(key) || this.#entries.size < LEARNED_MAX)) this.#put(key, entry);
  }

  apply({ whole, put, removed }: LearnedChanges): void {
    if (whole) for (const key of [...this.#entries.keys()]) this.#remove(key);
    for (const key of removed) this.#remove(key);
    for (const entry of put) this.#put(learnedKey(entry), entry);
  }

  #put(key: string, entry: LearnedEntry): void {
    this.#remove(key);
    this.#entries.set(key, entry);
    this.#senders.add(entry.sender, entry);
    this.#domains.add(entry.domain, entry);
    this.#clients.add(entry.client, entry);
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#senders.remove(entry.sender);
    this.#domains.remove(entry.domain);
    this.#clients.remove(entry.client);
  }
}

/**
 * How many entries share a word, and until when one of them holds. When the last to expire is taken away, the others
 * may seem to hold as long as it would have: until the store has them removed, a moment after they expired.
 */
class Facets {
  readonly #words = new Map<string, { count: number; expiresAtMs: number }>();

  has(word: string, nowMs: number): boolean {
    return (this.#words.get(word)?.expiresAtMs ?? Number.NEGATIVE_INFINITY) > nowMs;
  }

  add(word: string, { expiresAtMs = Number.POSITIVE_INFINITY }: LearnedEntry): void {
    if (word === '') return;
    const known = this.#words.get(word);
    if (known === undefined) this.#words.set(word, { count: 1, expiresAtMs });
    else {
      known.count += 1;
      known.expiresAtMs = Math.max(known.expiresAtMs, expiresAtMs);
    }
  }

  remove(word: string): void {
    const known = this.#words.get(word);
    if (known === undefined) return;
    known.count -= 1;
    if (known.count === 0) this.#words.delete(word);
  }
}
