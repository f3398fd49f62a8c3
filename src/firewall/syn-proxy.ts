import { SYN_PROXY_HOSTS_MAX, SYN_PROXY_SHUNNED_MAX } from '../limits.ts';

/**
 * `postern syn-proxy aggressive`: for which servers the kernel answers in their place, from the first sign of a flood
 * until calm. The flood no longer shows in the gate then, so calm is measured by the SYNs that the kernel's rules
 * count. Pure: state, what was seen and the time in; new state and decisions out.
 */
export interface SynProxyState {
  readonly hosts: ReadonlyMap<string, ProxiedHost>;
  /** Servers for which it was of no use, and until when it is not tried again. */
  readonly shunned: ReadonlyMap<string, number>;
}

export interface ProxiedHost {
  readonly sinceMs: number;
  /** The last time there was a flood. */
  readonly busyMs: number;
  /** What the kernel had counted, and when that was read. */
  readonly syns: number;
  readonly readAtMs: number;
  /** Some SYN has met the rules. */
  readonly met: boolean;
  /** Calm: nobody new is answered, and who has been may still bring the cookie back until then. */
  readonly drainsUntilMs?: number;
}

export type SynProxyDecision =
  | { readonly kind: 'on'; readonly host: string }
  | { readonly kind: 'off'; readonly host: string; readonly seconds: number }
  /** It is calm; the rules change, nothing is told. */
  | { readonly kind: 'drain'; readonly host: string }
  /** SYNs reach the gate for it, and none by this address: DNAT sends them there. */
  | { readonly kind: 'useless'; readonly host: string };

export interface SynProxyStep {
  readonly state: SynProxyState;
  readonly decisions: readonly SynProxyDecision[];
}

/** What was seen since the last reading of the counters. */
export interface SynProxySample {
  /** SYNs by server, since its rules were set or set anew. */
  readonly syns: ReadonlyMap<string, number>;
  /** Servers that still have too many half-open sessions in the gate, and got more. */
  readonly flooded: ReadonlySet<string>;
  /** A server with fewer SYNs a second is calm. */
  readonly calmSynsASecond: number;
}

export const NO_PROXIES: SynProxyState = { hosts: new Map(), shunned: new Map() };

/** So long it must have been calm. */
export const SYN_PROXY_CALM_MS = 10_000;
/** A client that was answered has so long to bring the cookie back: TCP's first repetitions lie within. */
export const SYN_PROXY_DRAIN_MS = 3_000;
/** So long SYNs may miss the rules before they are taken for translated ones. */
export const SYN_PROXY_TRIAL_MS = 3_000;
export const SYN_PROXY_SHUNNED_MS = 600_000;
/** The least rate that may be called a flood, however low `one-minute low` is. */
export const SYN_PROXY_CALM_FLOOR = 10;

/** `ip inspect one-minute low` as SYNs a second; where it is unlimited the floor alone tells. */
export function calmSynsASecond(oneMinuteLow: number): number {
  return Number.isFinite(oneMinuteLow) ? Math.max(SYN_PROXY_CALM_FLOOR, oneMinuteLow / 60) : SYN_PROXY_CALM_FLOOR;
}

/** Whether the kernel may answer for this server: there is room for it, and it was not in vain before. */
export function mayTake({ hosts, shunned }: SynProxyState, host: string, nowMs: number): boolean {
  if (hosts.has(host)) return true;
  return hosts.size < SYN_PROXY_HOSTS_MAX && nowMs >= (shunned.get(host) ?? nowMs);
}

/** These servers are flooded, says the gate. */
export function startProxies(before: SynProxyState, flooded: Iterable<string>, nowMs: number): SynProxyStep {
  const hosts = new Map(before.hosts);
  const decisions: SynProxyDecision[] = [];
  for (const host of flooded) {
    const known = hosts.get(host);
    if (known !== undefined && known.drainsUntilMs === undefined) continue;
    if (!mayTake({ hosts, shunned: before.shunned }, host, nowMs)) continue;
    hosts.set(host, { sinceMs: known?.sinceMs ?? nowMs, busyMs: nowMs, syns: 0, readAtMs: nowMs, met: false });
    decisions.push({ kind: 'on', host });
  }
  return decisions.length === 0 ? { state: before, decisions } : { state: { ...before, hosts }, decisions };
}

/** The counters were read. */
export function readProxies(before: SynProxyState, sample: SynProxySample, nowMs: number): SynProxyStep {
  const hosts = new Map<string, ProxiedHost>();
  const shunned = new Map([...before.shunned].filter(([, untilMs]) => nowMs < untilMs));
  const decisions: SynProxyDecision[] = [];
  for (const [host, proxied] of before.hosts) {
    const next =
      proxied.drainsUntilMs === undefined ? judge(host, proxied, sample, nowMs) : drained(host, proxied, nowMs);
    if ('decision' in next) decisions.push(next.decision);
    if (next.proxied !== undefined) hosts.set(host, next.proxied);
    else if (next.decision.kind === 'useless') shun(shunned, host, nowMs);
  }
  return { state: { hosts, shunned }, decisions };
}

type Judged =
  | { readonly proxied: ProxiedHost; readonly decision?: SynProxyDecision }
  | { readonly proxied: undefined; readonly decision: SynProxyDecision };

function judge(host: string, before: ProxiedHost, sample: SynProxySample, nowMs: number): Judged {
  const syns = sample.syns.get(host) ?? 0;
  // Rules that were set anew count from nothing.
  const fresh = syns < before.syns ? syns : syns - before.syns;
  const seconds = Math.max(1, nowMs - before.readAtMs) / 1_000;
  const flooded = sample.flooded.has(host);
  const busy = flooded || fresh / seconds >= sample.calmSynsASecond;
  const met = before.met || fresh > 0;
  if (!met && flooded && nowMs - before.sinceMs >= SYN_PROXY_TRIAL_MS) {
    return { proxied: undefined, decision: { kind: 'useless', host } };
  }
  const proxied = { ...before, syns, met, readAtMs: nowMs, busyMs: busy ? nowMs : before.busyMs };
  if (nowMs - proxied.busyMs < SYN_PROXY_CALM_MS) return { proxied };
  return { proxied: { ...proxied, drainsUntilMs: nowMs + SYN_PROXY_DRAIN_MS }, decision: { kind: 'drain', host } };
}

function drained(host: string, proxied: ProxiedHost, nowMs: number): Judged {
  if (nowMs < (proxied.drainsUntilMs ?? 0)) return { proxied };
  const seconds = Math.round((nowMs - proxied.sinceMs) / 1_000);
  return { proxied: undefined, decision: { kind: 'off', host, seconds } };
}

/** The one that was put there longest ago makes room. */
function shun(shunned: Map<string, number>, host: string, nowMs: number): void {
  const [oldest] = shunned.keys();
  if (shunned.size >= SYN_PROXY_SHUNNED_MAX && oldest !== undefined) shunned.delete(oldest);
  shunned.set(host, nowMs + SYN_PROXY_SHUNNED_MS);
}
