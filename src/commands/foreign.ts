import { nearestWord } from '../language/nearest.ts';

/**
 * Which lines of a router's configuration are none of ours. They are skipped, but never a line that could be a firewall
 * line with a slip of the finger in it: a policy that is left out silently lets pass what it should refuse.
 */

const OWN_STARTS: readonly string[] = [
  'ip inspect',
  'ip port-map',
  'ip access-list',
  'ip access-group',
  'access-list',
  'class-map type inspect',
  'policy-map type inspect',
  'parameter-map type inspect',
  'parameter-map type regex',
  'parameter-map type',
  'postern',
  'zone',
  'zone-pair',
  'zone-member',
  'service-policy type inspect',
  'class type inspect',
  'interface',
  'hostname',
];

/** First words that look like a slip of ours, or the beginning of it, and are not. */
const HARMLESS: readonly string[] = [
  ...['access', 'access-session', 'alias', 'class', 'class-map', 'ip', 'ipv6', 'parameter-map', 'policy', 'policy-map'],
  ...['service', 'service-policy'],
];
const HARMLESS_AFTER_IP: readonly string[] = ['access-template', 'port'];

/** MAC, IPX and other lists that stand beside the IP ones: 200-1299. */
const OTHER_LISTS = { from: 200, to: 1299 } as const;

/** The words of a line that tell what it is about. */
const COMPARED_WORDS = 3;

/** Whether a line that did not match may be skipped. `no` forms are judged like the lines they negate. */
export function isForeign(words: readonly string[]): boolean {
  const line = (words[0]?.toLowerCase() === 'no' ? words.slice(1) : words).map((word) => word.toLowerCase());
  const first = line.slice(0, COMPARED_WORDS);
  if (line.length === 0 || line[0]?.startsWith('#')) return false;
  // What looks like a blank or a letter and is none could make a firewall line pass for something else.
  if (!first.every((word) => /^[\x21-\x7e]+$/.test(word)) || isNearAny(first, 'inspect')) return false;
  if (line[0] === 'access-list') return isOtherList(Number(line[1]));
  if (OWN_STARTS.some((start) => startsWith(line, start.split(' ')))) return false;
  return !looksLikeOwn(line);
}

/**
 * Whether a line inside a foreign section is a firewall line all the same, such as inspection on an unknown kind of
 * port.
 */
export function isFirewallLine(words: readonly string[]): boolean {
  const line = words.map((word) => word.toLowerCase());
  return ['ip inspect', 'zone-member', 'service-policy type inspect'].some((start) =>
    startsWith(line, start.split(' ')),
  );
}

/** The banner's delimiter when its text goes on over the next lines. */
export function openBanner(line: string): string | undefined {
  const found = /^\s*banner\s+\S+\s+(\^C|\S)(.*)$/.exec(line);
  if (found === null) return undefined;
  const [, delimiter = '', rest = ''] = found;
  return rest.includes(delimiter) ? undefined : delimiter;
}

function isOtherList(number: number): boolean {
  return number >= OTHER_LISTS.from && number <= OTHER_LISTS.to;
}

function startsWith(line: readonly string[], start: readonly string[]): boolean {
  return start.every((word, index) => line[index] === word);
}

function looksLikeOwn(line: readonly string[]): boolean {
  const [first = '', second = ''] = line;
  const firsts = new Set(OWN_STARTS.map((start) => start.split(' ')[0] ?? ''));
  if (first === 'ip') return !HARMLESS_AFTER_IP.includes(second) && isNear(second, secondWords('ip'));
  if (['class-map', 'policy-map', 'parameter-map'].includes(first)) {
    return isNear(second, ['type']) || (second === 'type' && isNear(line[2] ?? '', ['inspect', 'regex']));
  }
  return !HARMLESS.includes(first) && isNear(first, firsts);
}

function secondWords(first: string): readonly string[] {
  return OWN_STARTS.filter((start) => start.startsWith(`${first} `)).map((start) => start.split(' ')[1] ?? '');
}

function isNearAny(words: readonly string[], own: string): boolean {
  return words.some((word) => word === own || nearestWord(word, [own]) !== undefined);
}

/** A slip away, or an abbreviation that the matcher could not place. */
function isNear(word: string, own: Iterable<string>): boolean {
  const candidates = [...own];
  if (word.length >= 4 && candidates.some((candidate) => candidate.startsWith(word))) return true;
  return word.length >= 4 && nearestWord(word, candidates) !== undefined;
}
