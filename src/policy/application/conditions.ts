/** One `match` line of an application class, read (cisco-ios 1.7, 1.8, 3.9). Maps are parameter-maps of type regex. */
export type Condition =
  /** `match protocol smtp` (D-13): every connection. */
  | { readonly kind: 'everyConnection' }
  | { readonly kind: 'sender'; readonly map: string }
  | { readonly kind: 'recipient'; readonly map: string }
  /** Ours: `match sender learned [domain]`, `match client learned`. */
  | { readonly kind: 'senderLearned'; readonly domain: boolean }
  | { readonly kind: 'clientLearned' }
  | { readonly kind: 'recipientCount'; readonly over: number }
  | { readonly kind: 'recipientInvalidCount'; readonly over: number }
  | { readonly kind: 'verb'; readonly verb: string }
  | { readonly kind: 'lineLength'; readonly over: number }
  | { readonly kind: 'headerLength'; readonly over: number }
  | { readonly kind: 'header'; readonly map: string }
  /** Ours: `decoded` also looks into base64 and quoted-printable text. */
  | { readonly kind: 'body'; readonly map: string; readonly decoded: boolean }
  | { readonly kind: 'contentType'; readonly map: string }
  /** `7-bit`, `8-bit`, `base64`, `binary`, `quoted-printable`, `x-uuencode`, `unknown`, or a word of the user's. */
  | { readonly kind: 'encoding'; readonly name: string }
  | { readonly kind: 'ehloKeyword'; readonly keyword: string }
  /** Ours. `stripped`: it was offered before, or there is a trace of it. */
  | { readonly kind: 'starttls'; readonly what: 'missing' | 'stripped' }
  | { readonly kind: 'dataLength'; readonly over: number }
  | { readonly kind: 'invalidCommand' }
  | { readonly kind: 'clearTextLogin' };

/** The condition behind the canonical words of a `match` line. Throws for words that no grammar lets through. */
export function readCondition(words: readonly string[]): Condition {
  const [first = '', second = '', third = ''] = words;
  const last = words.at(-1) ?? '';
  const over = Number(last);
  switch (`${first} ${second}`.trim()) {
    case 'protocol smtp':
      return { kind: 'everyConnection' };
    case 'sender address':
      return { kind: 'sender', map: last };
    case 'recipient address':
      return { kind: 'recipient', map: last };
    case 'sender learned':
      return { kind: 'senderLearned', domain: third === 'domain' };
    case 'client learned':
      return { kind: 'clientLearned' };
    case 'recipient count':
      return { kind: 'recipientCount', over };
    case 'recipient invalid':
      return { kind: 'recipientInvalidCount', over };
    case 'cmd verb':
      return { kind: 'verb', verb: third.toUpperCase() };
    case 'cmd line':
      return { kind: 'lineLength', over };
    case 'header length':
      return { kind: 'headerLength', over };
    case 'header regex':
      return { kind: 'header', map: third };
    case 'body regex':
      return { kind: 'body', map: third, decoded: words[3] === 'decoded' };
    case 'mime content-type':
      return { kind: 'contentType', map: last };
    case 'mime encoding':
      return { kind: 'encoding', name: third.toLowerCase() };
    case 'reply ehlo':
      return { kind: 'ehloKeyword', keyword: third.toUpperCase() };
    case 'starttls missing':
    case 'starttls stripped':
      return { kind: 'starttls', what: second === 'stripped' ? 'stripped' : 'missing' };
    case 'data-length gt':
      return { kind: 'dataLength', over };
    case 'invalid-command':
      return { kind: 'invalidCommand' };
    case 'login clear-text':
      return { kind: 'clearTextLogin' };
    default:
      throw new Error(`match ${words.join(' ')} is no condition of an application class`);
  }
}
