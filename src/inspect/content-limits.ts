/**
 * What ends the walk over a message, in words for the sender and the log. The names are those of the native core
 * (native/engine/content_facts.h, ContentLimit); their values are in docs/limits.md.
 */
export const CONTENT_LIMITS = {
  engine: 'the pattern engine failed',
  streams: 'no stream of the pattern engine is left',
  facts: 'too many findings',
  field: 'a header field is too long',
  fields: 'too many header fields',
  header: 'the headers are too long',
  parts: 'too many parts',
  depth: 'parts too deep inside of each other',
  boundary: 'a boundary is too long, one of too many, or hidden behind a bare CR',
} as const;

export type ContentLimit = keyof typeof CONTENT_LIMITS;

export function isContentLimit(name: string): name is ContentLimit {
  return Object.hasOwn(CONTENT_LIMITS, name);
}
