import type { Arguments } from '../language/match.ts';
import { PATTERN_CHARACTERS_MAX, PATTERNS_A_MAP_MAX } from '../limits.ts';
import { checkPattern, describeGlob, isGlob } from '../policy/pattern.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, note } from './draft.ts';
import { currentMap, replaceMap, setLine, unsetLine } from './parameter-lines.ts';

const HELP: Readonly<Record<string, string>> = {
  pattern: 'A pattern; the map matches when one of them does',
  LINE: 'The pattern, in quotes where blanks stand at its ends',
  'pattern-type': 'How to read the patterns',
  auto: 'By their look',
  glob: 'A star stands for any text',
  regex: 'As regular expressions',
  'ignore-case': 'Upper and lower case are the same',
};

/** What stands in a text that was read for octets that are no UTF-8: as a pattern it would never match them. */
const NO_UTF8 = '\ufffd';

/** The lines of `parameter-map type regex` (cisco-ios 1.5). */
export const REGEX_MAP_COMMANDS: readonly ConfigCommand[] = [
  { modes: ['regex-parameter-map'], grammar: ['pattern LINE'], help: HELP, apply: addPattern },
  {
    modes: ['regex-parameter-map'],
    grammar: ['pattern-type <auto|glob|regex>$flavour', 'no pattern-type$absent [<auto|glob|regex>]'],
    help: HELP,
    apply: setPatternType,
  },
  {
    modes: ['regex-parameter-map'],
    grammar: ['ignore-case'],
    help: HELP,
    apply: (draft, args) => setLine(draft, args.words),
  },
  {
    modes: ['regex-parameter-map'],
    grammar: ['no pattern LINE'],
    help: HELP,
    apply: (draft, args) => unsetLine(draft, patternLine(unquoted(args.text('LINE')))),
  },
  {
    modes: ['regex-parameter-map'],
    grammar: ['no ignore-case'],
    help: HELP,
    apply: (draft) => unsetLine(draft, ['ignore-case']),
  },
];

function addPattern(draft: Draft, args: Arguments): void {
  const map = currentMap(draft);
  const typed = args.text('LINE');
  const quoted = typed.startsWith('"');
  const column = args.column('LINE') + (quoted ? 1 : 0);
  if (quoted && (typed.length < 2 || !typed.endsWith('"'))) {
    fail(draft, '% The quote is not closed', column - 1);
    return;
  }
  const pattern = unquoted(typed);
  if (pattern.length === 0 || pattern.length > PATTERN_CHARACTERS_MAX) {
    const end = pattern.length === 0 ? 0 : PATTERN_CHARACTERS_MAX;
    fail(draft, `% A pattern has 1 to ${PATTERN_CHARACTERS_MAX} characters`, column + end);
    return;
  }
  const replaced = pattern.indexOf(NO_UTF8);
  if (replaced >= 0) {
    fail(draft, '% These octets are not UTF-8', column + replaced);
    return;
  }
  const line = patternLine(pattern);
  const patterns = (map?.lines ?? []).filter(([word]) => word === 'pattern');
  if (map === undefined || patterns.some(([, other]) => other === line[1])) return;
  if (patterns.length >= PATTERNS_A_MAP_MAX) {
    fail(draft, `% A parameter map has at most ${PATTERNS_A_MAP_MAX} patterns`, args.column('LINE'));
    return;
  }
  const glob = readsAsGlob(map.lines.find(([word]) => word === 'pattern-type')?.[1], pattern);
  const mistake = glob ? undefined : checkPattern(pattern);
  if (mistake !== undefined) {
    fail(draft, `% ${mistake.message}`, column + mistake.index);
    return;
  }
  if (glob) note(draft, `% notice: pattern "${pattern}" read as glob; effective ${describeGlob(pattern)}`, column);
  replaceMap(draft, { ...map, lines: [...map.lines, line] });
}

/** Another reading must suit the patterns that are there, or the saved configuration would not load. */
function setPatternType(draft: Draft, args: Arguments): void {
  const flavour = args.has('flavour') ? args.text('flavour') : 'auto';
  for (const [word, text = ''] of currentMap(draft)?.lines ?? []) {
    const pattern = unquoted(text);
    if (word !== 'pattern' || readsAsGlob(flavour, pattern) || checkPattern(pattern) === undefined) continue;
    fail(draft, `% pattern ${text} is not a regular expression`);
    return;
  }
  if (args.has('flavour')) setLine(draft, args.words);
  else unsetLine(draft, ['pattern-type']);
}

function readsAsGlob(flavour: string | undefined, pattern: string): boolean {
  return flavour === 'glob' || (flavour !== 'regex' && isGlob(pattern));
}

function patternLine(pattern: string): readonly string[] {
  return ['pattern', `"${pattern}"`];
}

function unquoted(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text;
}
