/** What happened to packets of a class. `inspect`: they opened sessions, whose later packets are not counted here. */
export type ZoneAction = 'inspect' | 'pass' | 'drop' | 'police';

/** The names under which drops without a class are counted: no zone-pair leads there, or one side is in no zone. */
export const NO_PLACE = '-';
export const NO_ZONE_PAIR = 'no-zone-pair';
export const NOT_ZONED = 'not-zoned';

/** xt_comment takes 256 octets with the final zero; `zone ` stands before the key. */
const KEY_CHARACTERS_MAX = 240;

/**
 * The key of `zoneMatches()` and the label of the kernel's counter: `PAIR CLASS ACTION`. Letters that a rule's text
 * could stumble over are written as in a URL; of names that are too long for a comment a checksum stands at the end.
 */
export function zoneMatchKey(zonePair: string, className: string, action: ZoneAction): string {
  const names = `${plain(zonePair)} ${plain(className)}`;
  const key = `${names} ${action}`;
  if (key.length <= KEY_CHARACTERS_MAX) return key;
  return `${names.slice(0, KEY_CHARACTERS_MAX - 20)}~${checksum(names)} ${action}`;
}

function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
}

/** FNV-1a: tells names apart, and guards nothing. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash.toString(16);
}
