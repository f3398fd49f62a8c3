import type { ContentFact } from '../../src/inspect/facts.ts';
import type { PatternPlan, PatternUse } from '../../src/policy/application/pattern-sets.ts';
import type { ContentPlan } from '../../src/policy/application/program.ts';
import type { ContentScript } from './fake-walk.ts';

interface Scan {
  readonly plan: PatternPlan;
  readonly content: ContentPlan;
  readonly facts: ContentFact[];
}

/**
 * A walk over one part, written to be read: whole lines, no multiparts, no decoding. What the native walk tells of real
 * messages is tested there; here it only has to tell the same of the same octets.
 */
export function scanOf(plan: PatternPlan, content: ContentPlan | undefined): ContentScript {
  if (content === undefined) return () => [];
  return (message) => {
    const scan: Scan = { plan, content, facts: [] };
    const lines = message.match(/[^\n]*\n/g) ?? [];
    const end = lines.findIndex((line) => line.trim() === '');
    const header = end < 0 ? lines : lines.slice(0, end);
    let octets = 0;
    for (const [index, line] of lines.entries()) {
      const before = octets;
      octets += line.length;
      if (index < header.length) tellField(scan, header, index);
      const told = lengthsPassed(content.headerLengths, before, index < header.length ? octets : before);
      scan.facts.push(...told.map((over): ContentFact => ({ kind: 'headerLength', over })));
      if (index > header.length) tellBody(scan, line);
      scan.facts.push(
        ...lengthsPassed(content.dataLengths, before, octets).map(
          (over): ContentFact => ({ kind: 'dataLength', over }),
        ),
      );
    }
    return scan.facts;
  };
}

/** A field of one line each: folding is the native walk's. */
function tellField({ plan, content, facts }: Scan, header: readonly string[], index: number): void {
  const line = (header[index] ?? '').trimEnd();
  const [name = '', value = ''] = line.split(/:\s*/, 2);
  for (const map of content.header === undefined ? [] : matching(plan, 'header', line)) {
    facts.push({ kind: 'header', map, field: name });
  }
  const field = name.toLowerCase();
  if (field === 'content-type' && content.contentType !== undefined) {
    for (const map of matching(plan, 'contentType', value)) facts.push({ kind: 'contentType', map, type: value });
  }
  if (field === 'content-transfer-encoding' && content.encodings) {
    facts.push({ kind: 'encoding', token: value.toLowerCase() });
  }
}

/** Each map once a message. */
function tellBody({ plan, content, facts }: Scan, line: string): void {
  const text = line.trimEnd();
  for (const use of ['body', 'decoded'] as const) {
    for (const map of content[use] === undefined ? [] : matching(plan, use, text)) {
      const decoded = use === 'decoded';
      const isTold = facts.some((fact) => fact.kind === 'body' && fact.map === map && fact.decoded === decoded);
      if (!isTold) facts.push({ kind: 'body', map, decoded });
    }
  }
}

function matching({ uses }: PatternPlan, use: PatternUse, text: string): readonly number[] {
  const found = (uses[use] ?? []).filter(({ expression, caseless }) =>
    new RegExp(expression, caseless ? 'si' : 's').test(text),
  );
  return [...new Set(found.map(({ id = 0 }) => id))];
}

function lengthsPassed(lengths: readonly number[], before: number, octets: number): readonly number[] {
  return lengths.filter((over) => octets > over && before <= over);
}
