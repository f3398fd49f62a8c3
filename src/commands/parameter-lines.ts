import type { ParameterMap } from '../policy/configuration.ts';
import type { Draft } from './draft.ts';
import { put } from './lists.ts';

/** The body lines of parameter maps, which are kept as canonical words: one line a setting, a pattern each. */

export function findMap(draft: Draft, kind: ParameterMap['kind'], name: string): ParameterMap | undefined {
  return draft.configuration.parameterMaps.find((map) => map.kind === kind && map.name === name);
}

/** The map being edited. */
export function currentMap(draft: Draft): ParameterMap | undefined {
  return findMap(draft, draft.mode.kind === 'regex-parameter-map' ? 'regex' : 'inspect', draft.mode.subject);
}

export function replaceMap(draft: Draft, map: ParameterMap): void {
  const same = (other: ParameterMap): boolean => other.name === map.name && other.kind === map.kind;
  // How patterns are read comes before them, because it decides whether they are right.
  const patterns = map.lines.filter(([word]) => word === 'pattern');
  const lines = [...map.lines.filter(([word]) => word !== 'pattern'), ...patterns];
  const parameterMaps = put(draft.configuration.parameterMaps, { ...map, lines }, same);
  draft.configuration = { ...draft.configuration, parameterMaps };
}

/** A new value takes the place of the old one. */
export function setLine(draft: Draft, line: readonly string[]): void {
  const map = currentMap(draft);
  if (map === undefined) return;
  replaceMap(draft, { ...map, lines: put(map.lines, line, (other) => settingName(other) === settingName(line)) });
}

export function unsetLine(draft: Draft, line: readonly string[]): void {
  const map = currentMap(draft);
  if (map === undefined) return;
  replaceMap(draft, { ...map, lines: map.lines.filter((other) => settingName(other) !== settingName(line)) });
}

/** What a line sets, without the value: its leading words. */
function settingName(words: readonly string[]): string {
  const [first = '', second = '', third = ''] = words;
  if (['max-incomplete', 'one-minute', 'log', 'icmp', 'udp'].includes(first)) return `${first} ${second}`;
  if (first === 'sessions') return second === 'rate' ? `sessions rate ${third}` : 'sessions maximum';
  if (first === 'tcp') return `tcp ${second}${third === 'reset' ? ' reset' : ''}`;
  if (first === 'pattern' || first === 'no') return words.join(' ');
  // SMTP has one and mailboxes have the other.
  if (first === 'require-tls') return second === 'login' ? 'require-tls login' : first;
  return first;
}

export function parameterMapLines(map: ParameterMap): readonly string[] {
  return [`parameter-map type ${map.kind} ${map.name}`, ...map.lines.map((words) => ` ${words.join(' ')}`)];
}
