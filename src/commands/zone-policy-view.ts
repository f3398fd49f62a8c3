import type {
  ApplicationClassCounts,
  HitCounts,
  PolicyStatistics,
  SessionSnapshot,
  ZoneClassCounts,
} from '../firewall/snapshot.ts';
import { readCondition } from '../policy/application/conditions.ts';
import { eventOf } from '../policy/application/hits.ts';
import type { ClassMap, Configuration, PolicyClass, PolicyMap, ZonePair } from '../policy/configuration.ts';
import { policyOf } from '../policy/zone-classify.ts';
import { type ZoneAction, zoneMatchKey } from '../policy/zone-labels.ts';
import type { ExecContext, PacketCount } from './exec-context.ts';

/** A zone-pair with its policy and what its classes met: the JSON of `show policy-map type inspect zone-pair`. */
export interface ZonePairView {
  readonly zonePair: string;
  readonly source: string;
  readonly destination: string;
  readonly policy: string;
  readonly classes: readonly ZoneClassView[];
}

export interface ZoneClassView {
  readonly className: string;
  readonly combine: ClassMap['combine'];
  /** Canonical words of its `match` lines; `any` for class-default. */
  readonly matches: readonly string[];
  /** `default`: nothing was configured, so packets are dropped. */
  readonly action: 'inspect' | 'pass' | 'drop' | 'default';
  readonly log: boolean;
  /** Behind `inspect`. */
  readonly parameterMap?: string;
  readonly police?: { readonly rateBits: number; readonly burstBytes: number };
  /** What the kernel's rules counted; absent where they were not asked. With `inspect`, packets that were policed. */
  readonly counted?: PacketCount;
  readonly sessions?: ClassSessionsView;
  readonly application?: ApplicationView;
}

export interface ClassSessionsView extends Omit<ZoneClassCounts, 'zonePair' | 'className' | 'open'> {
  readonly established: number;
  readonly halfOpen: number;
  readonly terminating: number;
  /** Those that there are now. */
  readonly list: readonly SessionSnapshot[];
}

export interface ApplicationView {
  readonly protocol: string;
  readonly policy: string;
  readonly classes: readonly ApplicationClassView[];
}

export interface ApplicationClassView {
  readonly className: string;
  readonly combine: ClassMap['combine'];
  readonly matches: readonly ApplicationMatchView[];
  readonly actions: readonly string[];
  readonly hits: HitCounts;
  readonly shadow: HitCounts;
}

export interface ApplicationMatchView {
  readonly match: string;
  /** Matches of this line alone; absent in match-all, and where other lines of the class look at the same. */
  readonly hits?: HitCounts;
}

/** What is known at this moment, from the workers and the kernel. */
export interface ZoneState {
  readonly configuration: Configuration;
  readonly statistics: PolicyStatistics;
  /** By the names of zone-pair and class, a blank between them. */
  readonly sessions: ReadonlyMap<string, readonly SessionSnapshot[]>;
  readonly matches: ReadonlyMap<string, PacketCount> | undefined;
}

const NOTHING: HitCounts = { count: 0, bytes: 0 };
const NO_STATISTICS: PolicyStatistics = { classes: [], applications: [], uncounted: 0 };

/** Asks for everything at once. */
export async function zoneState(context: ExecContext): Promise<ZoneState> {
  const [statistics, sessions, matches] = await Promise.all([
    context.policyStatistics?.() ?? NO_STATISTICS,
    context.sessions(),
    context.zoneMatches?.(),
  ]);
  return { configuration: context.configuration, statistics, sessions: byClass(sessions), matches };
}

/** There may be a hundred thousand of them: they are looked through once. */
function byClass(sessions: readonly SessionSnapshot[]): ReadonlyMap<string, readonly SessionSnapshot[]> {
  const lists = new Map<string, SessionSnapshot[]>();
  for (const session of sessions) {
    if (session.zonePair === undefined) continue;
    const key = `${session.zonePair} ${session.className}`;
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [session]);
    else list.push(session);
  }
  return lists;
}

/** Counters without the lists of sessions, which may be long. */
export function countsOf(view: ZonePairView): unknown {
  const classes = view.classes.map(({ sessions, ...rest }) => {
    if (sessions === undefined) return rest;
    const { list: _list, ...counts } = sessions;
    return { ...rest, sessions: counts };
  });
  return { ...view, classes };
}

/** Undefined for a zone-pair without a policy. */
export function viewZonePair(state: ZoneState, pair: ZonePair): ZonePairView | undefined {
  const policy = policyOf(state.configuration, pair);
  if (policy === undefined) return undefined;
  const implicit: PolicyClass = { name: 'class-default', actions: [] };
  const classes = policy.classes.some(({ name }) => name === implicit.name)
    ? policy.classes
    : [...policy.classes, implicit];
  return {
    zonePair: pair.name,
    source: pair.source,
    destination: pair.destination,
    policy: policy.name,
    classes: classes.map((entry) => viewClass(state, pair, entry)),
  };
}

function viewClass(state: ZoneState, { name: zonePair }: ZonePair, { name, actions }: PolicyClass): ZoneClassView {
  const { configuration, matches } = state;
  const map = findClass(configuration, name, undefined);
  const find = (...wanted: readonly string[]): readonly string[] | undefined =>
    actions.find(([word = '']) => wanted.includes(word));
  const main = find('inspect', 'pass', 'drop') ?? [];
  const action = actionOf(main[0]);
  const police = find('police');
  const service = find('service-policy');
  const counts = (what: ZoneAction): PacketCount => matches?.get(zoneMatchKey(zonePair, name, what)) ?? NO_PACKETS;
  const counted = action === 'inspect' ? police && counts('police') : counts(action === 'pass' ? 'pass' : 'drop');
  return {
    className: name,
    combine: map?.combine ?? 'match-any',
    matches: name === 'class-default' ? ['any'] : (map?.matches ?? []).map(({ words }) => words.join(' ')),
    action,
    log: main.includes('log'),
    ...(action === 'inspect' && main[1] !== undefined ? { parameterMap: main[1] } : {}),
    ...(police === undefined ? {} : { police: { rateBits: Number(police[2]), burstBytes: Number(police[4]) } }),
    ...(matches === undefined || counted === undefined ? {} : { counted }),
    ...(action === 'inspect' ? { sessions: viewSessions(state, zonePair, name) } : {}),
    ...(service === undefined ? {} : { application: viewApplication(state, { zonePair, name }, service) }),
  };
}

function actionOf(word: string | undefined): ZoneClassView['action'] {
  return word === 'inspect' || word === 'pass' || word === 'drop' ? word : 'default';
}

const NO_PACKETS: PacketCount = { packets: 0, bytes: 0 };

function viewSessions(state: ZoneState, zonePair: string, className: string): ClassSessionsView {
  const list = state.sessions.get(`${zonePair} ${className}`) ?? [];
  const counts = state.statistics.classes.find(
    (counted) => counted.zonePair === zonePair && counted.className === className,
  );
  const packets: Record<string, number> = { ...counts?.packets };
  for (const session of list) {
    packets[session.protocol] = (packets[session.protocol] ?? 0) + (session.packets ?? 0);
  }
  const inState = (...states: readonly SessionSnapshot['state'][]): number =>
    list.filter((session) => states.includes(session.state)).length;
  const { open: _open, zonePair: _zonePair, className: _className, ...rest } = counts ?? NO_SESSIONS;
  return {
    ...rest,
    packets,
    established: inState('SIS_OPEN'),
    halfOpen: inState('SIS_OPENING'),
    terminating: inState('SIS_CLOSING', 'SIS_CLOSED'),
    list,
  };
}

const NO_SESSIONS: ZoneClassCounts = {
  zonePair: '',
  className: '',
  packets: {},
  created: 0,
  open: 0,
  maxOpen: 0,
  creationRate: 0,
  maxCreationRate: 0,
};

function viewApplication(
  { configuration, statistics }: ZoneState,
  place: { readonly zonePair: string; readonly name: string },
  [, protocol = '', name = '']: readonly string[],
): ApplicationView {
  const policy = configuration.policyMaps.find((map) => map.name === name && map.protocol === protocol);
  const classes = (policy?.classes ?? []).map((entry) => {
    const counts = statistics.applications.find(
      (counted) =>
        counted.zonePair === place.zonePair &&
        counted.className === place.name &&
        counted.policy === name &&
        counted.applicationClass === entry.name,
    );
    return viewApplicationClass(configuration, policy?.protocol, entry, counts);
  });
  return { protocol, policy: name, classes };
}

function viewApplicationClass(
  configuration: Configuration,
  protocol: PolicyMap['protocol'],
  { name, actions }: PolicyClass,
  counts: ApplicationClassCounts | undefined,
): ApplicationClassView {
  const map = findClass(configuration, name, protocol);
  return {
    className: name,
    combine: map?.combine ?? 'match-any',
    matches: map === undefined ? [{ match: 'any' }] : viewMatches(map, counts),
    actions: actions.map((words) => words.join(' ')),
    hits: counts?.hits ?? NOTHING,
    shadow: counts?.shadow ?? NOTHING,
  };
}

/** In match-any a match is that of the one line that looks at what matched, where there is but one. */
function viewMatches({ combine, matches }: ClassMap, counts: ApplicationClassCounts | undefined) {
  const events = matches.map(({ words }) => eventOf(readCondition(words)));
  return matches.map(({ words }, index): ApplicationMatchView => {
    const event = events[index] ?? 'CONNECTION';
    const isAlone = combine === 'match-any' && events.filter((other) => other === event).length === 1;
    return { match: words.join(' '), ...(isAlone ? { hits: counts?.events[event] ?? NOTHING } : {}) };
  });
}

export function findClass(
  { classMaps }: Configuration,
  name: string,
  protocol: ClassMap['protocol'],
): ClassMap | undefined {
  return classMaps.find((map) => map.name === name && map.protocol === protocol);
}
