import { isControl } from '../../inspect/words.ts';

const HT = 0x09;

/** Where the first control character stands, or -1. */
export function controlCharacterAt(text: string): number {
  for (let i = 0; i < text.length; i += 1) {
    if (isControl(text.charCodeAt(i))) return i;
  }
  return -1;
}

/** RFC 5321 4.2 allows HT in a reply's text; RFC 6531 3.5 allows UTF-8. */
export function isReplyText(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const octet = text.charCodeAt(i);
    if (isControl(octet) && octet !== HT) return false;
  }
  return true;
}
