import { BLOCKED_HOSTS_MAX, HOST_EPISODES_MAX } from '../limits.ts';

/**
 * `ip inspect tcp max-incomplete host N block-time M` (cisco-ios 3.4): which servers are told about, which are blocked,
 * and when a block is over. Pure: state, limit, reports and the time in; new state and decisions out.
 */
export interface HostLimit {
  /** Half-open TCP sessions of one server; the reports say who passed it. */
  readonly halfOpenMax: number;
  /** 0: the oldest half-open session makes room for each new one, and nobody is blocked. */
  readonly blockMinutes: number;
}

export interface HostBlock {
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface HostState {
  /** Hosts that were told about, by the time of their last report: the oldest first. */
  readonly episodes: ReadonlyMap<string, number>;
  readonly blocks: ReadonlyMap<string, HostBlock>;
}

export type HostDecision =
  | { readonly kind: 'alert'; readonly host: string; readonly limit: number }
  | { readonly kind: 'block'; readonly host: string; readonly limit: number; readonly minutes: number }
  | { readonly kind: 'unblock'; readonly host: string };

export interface HostStep {
  readonly state: HostState;
  readonly decisions: readonly HostDecision[];
}

const MINUTE_MS = 60_000;

export const NO_HOSTS: HostState = { episodes: new Map(), blocks: new Map() };

/**
 * One sample: `reports` are the hosts that passed the limit since the last one. A host is told about once an episode,
 * which is over when it had no report for a minute. A block runs out at the time that was set when it began (D-23).
 */
export function stepHosts(before: HostState, limit: HostLimit, reports: readonly string[], nowMs: number): HostStep {
  if (reports.length === 0 && before.episodes.size === 0 && before.blocks.size === 0) {
    return { state: before, decisions: [] };
  }
  const episodes = new Map(before.episodes);
  const blocks = new Map(before.blocks);
  const decisions: HostDecision[] = [];
  for (const [host, lastMs] of before.episodes) if (nowMs - lastMs >= MINUTE_MS) episodes.delete(host);
  for (const [host, { untilMs }] of before.blocks) {
    if (nowMs < untilMs) continue;
    blocks.delete(host);
    decisions.push({ kind: 'unblock', host });
  }
  for (const host of reports) {
    if (!episodes.has(host)) decisions.push({ kind: 'alert', host, limit: limit.halfOpenMax });
    note(episodes, host, nowMs);
    if (limit.blockMinutes === 0 || blocks.has(host) || blocks.size >= BLOCKED_HOSTS_MAX) continue;
    blocks.set(host, { sinceMs: nowMs, untilMs: nowMs + limit.blockMinutes * MINUTE_MS });
    decisions.push({ kind: 'block', host, limit: limit.halfOpenMax, minutes: limit.blockMinutes });
  }
  return { state: { episodes, blocks }, decisions };
}

/** `no ip inspect tcp max-incomplete host`, or the administrator: these blocks end at once (D-23). */
export function unblockHosts(before: HostState, hosts: Iterable<string>): HostStep {
  const chosen = [...hosts].filter((host) => before.blocks.has(host));
  const blocks = new Map([...before.blocks].filter(([host]) => !chosen.includes(host)));
  return {
    state: { episodes: before.episodes, blocks },
    decisions: chosen.map((host) => ({ kind: 'unblock', host })),
  };
}

/** The host goes to the end of the line; the one that was heard of longest ago makes room. */
function note(episodes: Map<string, number>, host: string, nowMs: number): void {
  episodes.delete(host);
  const [oldest] = episodes.keys();
  if (episodes.size >= HOST_EPISODES_MAX && oldest !== undefined) episodes.delete(oldest);
  episodes.set(host, nowMs);
}
