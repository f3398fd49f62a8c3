import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { LEARNED_CHECK_MS_MAX, LEARNED_UNWRITTEN_MAX } from '../limits.ts';
import type { Logger } from '../log/log-message.ts';
import { type LearnedChanges, type LearnedEntry, LearnedTable, learnedKey } from '../policy/learned.ts';

/**
 * What was learned, kept across restarts and crashes: a bounded table in memory that is asked and changed at once, and
 * behind it a database that every change is written to. A store that cannot be read or written costs its memory of
 * earlier days and a message in the log, never the daemon.
 */
export class LearnedStore {
  readonly #table: LearnedTable;
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  /** Absent: in memory only. */
  #database: Database | undefined;
  /** Keys that are not written yet. */
  #unwritten = new Set<string>();
  #writing: Promise<void> = Promise.resolve();
  /** The batch that waits for the one being written. */
  #waiting: Promise<void> | undefined;

  private constructor(table: LearnedTable, logger: Logger, nowMs: () => number) {
    this.#table = table;
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  /**
   * Opens the store in `learned` under the state directory, which is made where it is missing. Never fails: without a
   * usable store senders are learned in memory, and the log says why.
   */
  static async open(stateDir: string, logger: Logger, nowMs: () => number = Date.now): Promise<LearnedStore> {
    const path = join(stateDir, 'learned');
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
      await checkInAnotherProcess(path);
      const database = await openDatabase(path);
      const store = new LearnedStore(new LearnedTable(entriesOf(database), nowMs()), logger, nowMs);
      store.#database = database;
      await store.#writeBounded(database);
      return store;
    } catch (error) {
      tell(logger, `cannot be used, senders are learned in memory only: ${path}: ${reasonOf(error)}`);
      return new LearnedStore(new LearnedTable(), logger, nowMs);
    }
  }

  /** Whether what is learned survives the process. */
  get isDurable(): boolean {
    return this.#database !== undefined;
  }

  get revision(): number {
    return this.#table.revision;
  }

  /**
   * Records that `sender` (as in MAIL FROM, without brackets) was learned from `client` (a network address), for
   * `minutes` or for as long as there is room. It counts at once; the promise, which never rejects, is kept when it is
   * on the disk, or when it is clear that it will not be.
   */
  record(sender: string, client: string, minutes?: number): Promise<void> {
    const nowMs = this.#nowMs();
    const learning = { sender, client, ...(minutes === undefined ? {} : { minutes }) };
    return this.#write([...this.#table.expire(nowMs), ...this.#table.record(learning, nowMs)]);
  }

  /** Last seen first. */
  entries(): readonly LearnedEntry[] {
    return this.#table.entries(this.#nowMs());
  }

  /** Forgets a sender, `@` and a domain, a client's address, or `all`; answers how many entries there were. */
  clear(which: string): number {
    const keys = this.#table.clear(which);
    void this.#write(keys);
    return keys.length;
  }

  /** What workers that know everything up to `revision` must be told; undefined where there is nothing. */
  changesSince(revision: number): LearnedChanges | undefined {
    void this.#write(this.#table.expire(this.#nowMs()));
    return this.#table.changesSince(revision);
  }

  /** Writes what is left and lets go of the files. */
  async close(): Promise<void> {
    await this.#write([...this.#unwritten]);
    const database = this.#database;
    this.#database = undefined;
    await database?.close();
  }

  #write(keys: readonly string[]): Promise<void> {
    if (this.#database === undefined || keys.length === 0) return this.#waiting ?? this.#writing;
    for (const key of keys) this.#unwritten.add(key);
    if (this.#unwritten.size > LEARNED_UNWRITTEN_MAX) this.#giveUp(new Error('the disk does not keep up'));
    this.#waiting ??= this.#writing.then(() => {
      this.#waiting = undefined;
      this.#writing = this.#writeBatch();
      return this.#writing;
    });
    return this.#waiting;
  }

  async #writeBatch(): Promise<void> {
    const database = this.#database;
    if (database === undefined) return;
    const keys = this.#unwritten;
    this.#unwritten = new Set();
    try {
      await writeAll(database, keys, this.#table);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    const database = this.#database;
    if (database === undefined) return;
    this.#database = undefined;
    this.#unwritten.clear();
    tell(this.#logger, `can no longer be written, senders are learned in memory only: ${reasonOf(error)}`);
    void database.close().catch(() => {});
  }

  /** Takes out of the database what the table left out: expired, or more than there may be. */
  async #writeBounded(database: Database): Promise<void> {
    const gone = [...database.getKeys()].map(fromKey).filter((key) => this.#table.get(key) === undefined);
    if (gone.length > 0) await this.#write(gone);
  }
}

type Database = RootDatabase<unknown, Buffer>;

/** Keys are octets as they are: strings would be read as text, and a sender need not be any. */
const SETTINGS = { encoding: 'json', keyEncoding: 'binary' } as const;

async function openDatabase(path: string): Promise<Database> {
  const { open } = await import('lmdb');
  return open<unknown, Buffer>({ path, ...SETTINGS });
}

/**
 * A damaged file may end the process that maps it, so another one reads and writes it first. It comes from this text
 * so that it needs no file of its own.
 */
const CHECK = `
const [path, lmdb, settings] = process.argv.slice(1);
const { open } = await import(lmdb);
const database = open({ path, ...JSON.parse(settings) });
for (const { value } of database.getRange()) if (typeof value !== 'object') throw new Error('it holds something else');
const key = Buffer.from([0]);
await database.put(key, {});
await database.remove(key);
await database.flushed;
await database.close();
`;

function checkInAnotherProcess(path: string): Promise<void> {
  const script = [
    '--input-type=module',
    '-e',
    CHECK,
    '--',
    path,
    import.meta.resolve('lmdb'),
    JSON.stringify(SETTINGS),
  ];
  const { NODE_OPTIONS: _options, ...env } = process.env;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, script, { timeout: LEARNED_CHECK_MS_MAX, env }, (error, _stdout, stderr) => {
      if (error === null) return resolve();
      const line = /^(?:\w*Error|Uncaught)[^\n]*/m.exec(stderr)?.[0];
      reject(
        new Error(line ?? `it ends the process that reads it (${error.signal ?? error.message.split('\n', 1)[0]})`),
      );
    });
  });
}

/** What can be read as an entry; anything else is left out, and taken away. */
function* entriesOf(database: Database): Generator<LearnedEntry> {
  for (const { key, value } of database.getRange()) {
    const entry = entryOf(value);
    if (entry !== undefined && learnedKey(entry) === fromKey(key)) yield entry;
  }
}

function entryOf(value: unknown): LearnedEntry | undefined {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const { sender, domain, client, firstSeenAtMs, lastSeenAtMs, hits, expiresAtMs } = fields;
  const texts = [sender, domain, client].every((text) => typeof text === 'string');
  const numbers = [firstSeenAtMs, lastSeenAtMs, hits, expiresAtMs ?? 0].every((number) => Number.isFinite(number));
  return texts && numbers ? (value as LearnedEntry) : undefined;
}

/** In one transaction, answered when it is on the disk. */
async function writeAll(database: Database, keys: ReadonlySet<string>, table: LearnedTable): Promise<void> {
  const written: Promise<boolean>[] = [];
  for (const key of keys) {
    const entry = table.get(key);
    written.push(entry === undefined ? database.remove(toKey(key)) : database.put(toKey(key), entry));
  }
  await Promise.all(written);
  await database.flushed;
}

const toKey = (key: string): Buffer => Buffer.from(key, 'latin1');
const fromKey = (key: Buffer): string => key.toString('latin1');

function tell(logger: Logger, detail: string): void {
  logger.log({ id: 'ERROR', fields: { detail: `the store of learned senders ${detail}` } });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
