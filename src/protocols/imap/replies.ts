/** What the server sends (RFC 9051 7): untagged responses, continuation requests, tagged answers. */

export type Status = 'OK' | 'NO' | 'BAD';

export type Response =
  | { readonly kind: 'untagged'; readonly status: Status | 'PREAUTH' | 'BYE' | undefined }
  | { readonly kind: 'continuation' }
  | { readonly kind: 'tagged'; readonly tag: string; readonly status: Status }
  | { readonly kind: 'malformed' };

/** Reads how a response begins. Status words count in any case, tags exactly as the client sent them. */
export function readResponse(text: string): Response {
  const [first = '', word = ''] = text.split(' ', 2);
  if (first === '+') return { kind: 'continuation' };
  const status = word.toUpperCase();
  if (first === '*') {
    if (word === '') return { kind: 'malformed' };
    return {
      kind: 'untagged',
      status: isStatus(status) || status === 'PREAUTH' || status === 'BYE' ? status : undefined,
    };
  }
  return first !== '' && isStatus(status) ? { kind: 'tagged', tag: first, status } : { kind: 'malformed' };
}

function isStatus(word: string): word is Status {
  return word === 'OK' || word === 'NO' || word === 'BAD';
}

const GREETINGS = ['* OK ', '* PREAUTH ', '* BYE '] as const;

/** Whether the beginning of a greeting can still become one (RFC 9051 9, greeting). */
export function canBeGreeting(text: string): boolean {
  const upper = text.toUpperCase();
  return GREETINGS.some((greeting) => greeting.startsWith(upper) || upper.startsWith(greeting));
}

/**
 * The capabilities in a response, from `* CAPABILITY` or from the code of a status response (RFC 9051 7.1, 7.2.2). A
 * list that holds a literal is not read.
 */
export function capabilitiesIn(text: string): readonly string[] | undefined {
  const [, untagged, code] =
    /^(?:\* CAPABILITY (.*)|[^ ]+ (?:OK|PREAUTH) \[CAPABILITY ([^\]]*)\].*)$/i.exec(text) ?? [];
  return (untagged ?? code)?.split(' ');
}

export interface ResponseLiteral {
  readonly bytes: number;
  /** In data the response goes on; in a status response only the code can hold a literal. */
  readonly within: 'data' | 'code';
}

/** More digits than a 32-bit number has. */
const LITERAL_BYTES_MAX = 0xffffffff;

/**
 * The literal that a line of a response ends in. What looks like one in the human text of a status response is text:
 * there the client reads on to the line's end, and so do we. `oversized` is a length that no client can read.
 */
export function literalIn(text: string, within: 'start' | 'data' | 'code'): ResponseLiteral | 'oversized' | undefined {
  const [, digits] = /\{(\d+)\}$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const where = within === 'start' ? startsIn(text) : within;
  if (where === 'text' || (where === 'code' && text.includes(']'))) return undefined;
  const bytes = Number(digits);
  return bytes > LITERAL_BYTES_MAX ? 'oversized' : { bytes, within: where };
}

function startsIn(text: string): 'data' | 'code' | 'text' {
  const response = readResponse(text);
  if (response.kind === 'continuation') return 'text';
  if (response.kind === 'untagged' && response.status === undefined) return 'data';
  return /^[^ ]+ [^ ]+ \[/.test(text) ? 'code' : 'text';
}
