import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfiguration } from './parse-configuration.ts';
import { printConfiguration } from './print-configuration.ts';

/** Zone configurations in which everything fits together: they load, and what is printed of them is a fixed point. */

const REGEX_MAPS = ['R0', 'R1'];
const SMTP_CLASSES = ['S0', 'S1', 'S2'];
const LAYER_4_CLASSES = ['L0', 'L1', 'L2'];
const ZONES = ['in', 'out', 'dmz', 'self-made'];

const number = (max: number) => fc.integer({ min: 1, max });
const name = fc.constantFrom(...REGEX_MAPS);
const word = fc.constantFrom('EHLO', 'etrn', 'XEXCH50', 'x', 'DATA', '8bitmime');

const CONDITION = fc.oneof(
  fc.constantFrom('protocol smtp', 'sender learned', 'sender learned domain', 'client learned'),
  ...['sender address', 'recipient address', 'header', 'body', 'mime content-type'].map((place) =>
    name.map((map) => `${place} regex ${map}`),
  ),
  name.map((map) => `body regex ${map} decoded`),
  ...[
    'recipient count',
    'recipient invalid count',
    'cmd line length',
    'cmd-line length',
    'header length',
    'data-length',
  ].map((place) => number(65_535).map((over) => `${place} gt ${over}`)),
  fc.constantFrom('7-bit', '8bit', 'uuencode', 'X-Own').map((encoding) => `mime encoding ${encoding}`),
  word.map((verb) => `cmd verb ${verb}`),
  word.map((keyword) => `reply ehlo ${keyword}`),
  word.map((keyword) => `ehlo reply ${keyword}`),
);

const SMTP_ACTIONS = fc.uniqueArray(
  fc.constantFrom('log', 'reset', 'shadow', 'inspect', 'learn sender', 'learn sender for 60'),
  { selector: (action) => action.slice(0, 3) },
);

const LAYER_4_ACTIONS = fc.constantFrom(
  ['drop'],
  ['drop log'],
  ['pass'],
  ['pass log'],
  ['inspect'],
  ['inspect PARAMETERS'],
  ['inspect', 'police rate 128000 burst 8000'],
  ['inspect PARAMETERS', 'service-policy smtp L7', 'police rate 8000 burst 1000'],
);

const combine = fc.constantFrom('match-any', 'match-all', '');
const described = fc.constantFrom([], [' description what  it is'], [' description !']);

const lines = (...parts: readonly fc.Arbitrary<readonly string[]>[]) => fc.tuple(...parts).map((found) => found.flat());

const MAPS = lines(
  ...REGEX_MAPS.map((map) =>
    fc
      .uniqueArray(fc.constantFrom(' pattern "*deals\\.com"', ' pattern ^a b$', ' ignore-case', ' pattern-type glob'))
      .map((body) => [`parameter-map type regex ${map}`, ...body]),
  ),
  fc
    .array(
      fc.oneof(
        fc.constantFrom('alert off', 'log dropped-packets', 'tcp idle reset off', 'no application-inspect smtp'),
        fc
          .tuple(fc.constantFrom('max-incomplete', 'one-minute'), fc.constantFrom('low', 'high'), number(2_000))
          .map((words) => words.join(' ')),
        number(35_791).map((minutes) => `tcp max-incomplete host ${minutes} block-time ${minutes}`),
      ),
      { maxLength: 6 },
    )
    .map((body) => ['parameter-map type inspect PARAMETERS', ...body.map((line) => ` ${line}`)]),
);

/** Conditions of match-all classes are the ones that go with any other (R1, R2). */
const CLASSES = lines(
  ...SMTP_CLASSES.map((map, index) =>
    fc.tuple(described, fc.array(CONDITION, { maxLength: 5 })).map(([description, conditions]) => {
      const all = index === 0;
      const kept = all ? conditions.filter((condition) => !condition.startsWith('cmd')) : conditions;
      const header = `class-map type inspect smtp ${all ? 'match-all' : 'match-any'} ${map}`;
      return [header, ...description, ...kept.map((condition) => ` match ${condition}`)];
    }),
  ),
  ...LAYER_4_CLASSES.map((map, index) =>
    combine.map((word) => [
      `class-map type inspect ${word} ${map}`,
      ' match protocol smtp extended',
      ...LAYER_4_CLASSES.slice(0, index).map((inner) => ` match class-map ${inner}`),
    ]),
  ),
  fc.constant(['class-map type inspect smtp match-any VERBS', ' match cmd verb BDAT', ' match reply ehlo CHUNKING']),
);

const POLICIES = lines(
  fc
    .tuple(...SMTP_CLASSES.map(() => SMTP_ACTIONS))
    .map((actions) => [
      'policy-map type inspect smtp L7',
      ...SMTP_CLASSES.flatMap((map, index) => [
        ` class type inspect smtp ${map}`,
        ...(actions[index] ?? []).map((action) => `  ${action}`),
      ]),
      ...[' class type inspect smtp VERBS', '  mask', '  log'],
    ]),
  fc
    .tuple(described, ...LAYER_4_CLASSES.map(() => LAYER_4_ACTIONS))
    .map(([description, ...actions]) => [
      'policy-map type inspect TOP',
      ...description,
      ...LAYER_4_CLASSES.flatMap((map, index) => [
        ` class type inspect ${map}`,
        ...(actions[index] ?? []).map((action) => `  ${action}`),
      ]),
      ...[' class class-default', '  drop log'],
    ]),
);

const PAIRS = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...ZONES, 'default'), fc.constantFrom(...ZONES, 'default')), {
    selector: (ends) => ends.join(' '),
    maxLength: 6,
  })
  .chain((pairs) =>
    lines(
      ...pairs.map(([source, destination], index) =>
        described.map((description) => [
          `zone-pair security Z${index} source ${source} destination ${destination}`,
          ...description,
          ' service-policy type inspect TOP',
        ]),
      ),
    ),
  );

const INTERFACES = fc
  .tuple(...ZONES.map(() => fc.boolean()))
  .map((joined) =>
    ZONES.flatMap((zone, index) => [
      `interface eth${index}`,
      joined[index] === true ? ` zone-member security ${zone}` : ' ip inspect RULE in',
    ]),
  );

const SECTIONS = fc
  .tuple(
    MAPS,
    CLASSES,
    POLICIES,
    PAIRS,
    INTERFACES,
    lines(...ZONES.map((zone) => described.map((description) => [`zone security ${zone}`, ...description]))),
    fc.constantFrom(['ip inspect name RULE smtp'], ['ip inspect name RULE smtp', 'postern chunking inspect']),
  )
  .chain((parts) => fc.shuffledSubarray(parts, { minLength: parts.length, maxLength: parts.length }))
  .map((parts) => parts.flat());

test('zone configurations load in any order of their sections, and are saved in one form', () => {
  fc.assert(
    fc.property(SECTIONS, (sections) => {
      const first = parseConfiguration(sections.join('\n'), 'typed');
      expect(first.errors).toEqual([]);
      expect(first.notices.filter(({ message }) => message.includes('skipped'))).toEqual([]);
      const printed = printConfiguration(first.configuration);
      const again = parseConfiguration(printed, 'printed');
      expect(again.errors).toEqual([]);
      expect(again.configuration).toEqual(first.configuration);
      expect(printConfiguration(again.configuration)).toBe(printed);
      const aliases = again.notices.filter(({ message }) => /read as '|resetting/.test(message));
      expect(aliases).toEqual([]);
    }),
    { numRuns: 100 },
  );
}, 60_000);
