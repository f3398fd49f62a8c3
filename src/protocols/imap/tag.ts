import { isControl } from '../../inspect/words.ts';

/** Real tags have a handful of characters. The session keeps those of unanswered commands. */
export const TAG_BYTES_MAX = 64;

export type TagReading =
  | { readonly kind: 'growing' }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'offence'; readonly at: number };

/**
 * RFC 9051 9: any ASTRING-CHAR but `+`. So no brace: a literal in the place of a tag is none, and its octets are a
 * command.
 */
const NOT_IN_TAGS = new Set('(){%*"\\+');

/** Reads the tag up to the space that ends it. */
export function readTag(text: string, complete: boolean): TagReading {
  for (let at = 0; at < text.length; at += 1) {
    const octet = text.charAt(at);
    if (octet === ' ') return at > 0 ? { kind: 'tag', tag: text.slice(0, at) } : { kind: 'offence', at };
    const code = text.charCodeAt(at);
    const possible = code < 0x80 && !isControl(code) && !NOT_IN_TAGS.has(octet) && at < TAG_BYTES_MAX;
    if (!possible) return { kind: 'offence', at };
  }
  return complete ? { kind: 'offence', at: text.length } : { kind: 'growing' };
}
