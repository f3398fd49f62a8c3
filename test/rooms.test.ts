import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { REASON_NAMES } from '../src/inspect/reasons.ts';
import { MESSAGES } from '../src/log/messages.ts';
import { DROP_REASONS, REASON_MESSAGES } from '../src/log/reason-messages.ts';

/**
 * The rules of the house (design.md, rooms and the direction of imports) as tests. They look at the files that git tracks
 * and at new ones that it does not ignore.
 */
const ROOT = normalize(join(dirname(fileURLToPath(import.meta.url)), '..'));
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)) && statSync(join(ROOT, file)).isFile())
  .filter((file, index, all) => all.indexOf(file) === index);

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const lineCount = (file: string): number => read(file).replace(/\n$/, '').split('\n').length;

const TYPESCRIPT = FILES.filter((file) => file.startsWith('src/') && file.endsWith('.ts'));
const CPP = FILES.filter((file) => /^native\/.*\.(h|cc)$/.test(file));
const isTest = (file: string): boolean => /\.test\.ts$/.test(file);

/**
 * Which rooms a room may import beside itself; its tests may as much.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  inspect: [],
  mail: ['inspect'],
  protocols: ['mail', 'inspect'],
  policy: ['protocols', 'mail', 'inspect'],
  firewall: ['policy', 'inspect'],
  language: [],
  commands: ['language', 'policy', 'firewall', 'inspect'],
  log: ['firewall', 'inspect'],
  native: ['policy', 'firewall', 'inspect'],
  netfilter: ['policy'],
  engine: ['policy', 'protocols', 'mail', 'inspect', 'firewall', 'log', 'native'],
  control: ['engine', 'policy', 'firewall', 'inspect', 'log'],
  shell: ['language', 'commands', 'policy', 'firewall', 'inspect'],
  daemon: [
    'control',
    'engine',
    'netfilter',
    'log',
    'native',
    'commands',
    'language',
    'policy',
    'protocols',
    'mail',
    'firewall',
    'inspect',
    'shell',
  ],
};

/** Single files that others may import out of a room: what shell and daemon say to each other is neither's own. */
const OPEN_FILES: Readonly<Record<string, readonly string[]>> = {
  'src/limits.ts': Object.keys(MAY_IMPORT),
  'src/control/control-api.ts': ['commands', 'shell'],
};

/** No `node:` module, and no clock: time is an argument. */
const PURE_ROOMS = new Set(['inspect', 'mail', 'protocols', 'policy', 'firewall', 'language']);

/** Only these outside packages, and only there. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  log: ['pino'],
  control: ['prom-client'],
  daemon: ['lmdb'],
};
const TEST_PACKAGES = new Set(['vitest', 'fast-check']);

interface Import {
  readonly from: string;
  readonly specifier: string;
}

/** What a file imports: static, dynamic, re-exported and for types; comments and strings apart. */
function importsOf(file: string): readonly Import[] {
  const code = withoutComments(read(file));
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])([^'"\n]+)\1/g;
  return [...code.matchAll(pattern)].map((match) => ({ from: file, specifier: match[2] ?? '' }));
}

/** Code with its comments blanked, strings and templates left as they are. */
function withoutComments(code: string): string {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return code.replace(token, (match) => (match.startsWith('/') ? ' ' : match));
}

/** Code with comments, strings and templates blanked: what is left is what runs. */
function codeOnly(code: string): string {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return code.replace(token, ' ');
}

const roomOf = (file: string): string => file.split('/')[1] ?? '';
const targetOf = ({ from, specifier }: Import): string => normalize(join(dirname(from), specifier));

const ALL_IMPORTS = TYPESCRIPT.flatMap(importsOf);

describe('the scanner sees', () => {
  test.each([
    ["import { a } from './x.ts';", ['./x.ts']],
    ["import type { A } from '../y/x.ts';", ['../y/x.ts']],
    ["import './side.ts';", ['./side.ts']],
    ["export { a } from './x.ts';", ['./x.ts']],
    ["const a = await import('./x.ts');", ['./x.ts']],
    ["const a = require('./x.cjs');", ['./x.cjs']],
    ["import {\n  a,\n  b,\n} from './x.ts';", ['./x.ts']],
    ["// import { a } from './x.ts';", []],
    ["/* import './x.ts' */", []],
  ])('%j', (code, expected) => {
    const found = [
      ...withoutComments(code).matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])([^'"\n]+)\1/g),
    ];
    expect(found.map((match) => match[2])).toEqual(expected);
  });

  test('the whole tree', () => {
    expect(TYPESCRIPT.length).toBeGreaterThan(20);
    expect(ALL_IMPORTS.length).toBeGreaterThan(TYPESCRIPT.length);
    expect(CPP.length).toBeGreaterThan(5);
  });
});

describe('TypeScript rooms', () => {
  test('every folder of src is a room with rules', () => {
    const rooms = new Set(TYPESCRIPT.filter((file) => file.split('/').length > 2).map(roomOf));
    expect([...rooms].filter((room) => MAY_IMPORT[room] === undefined)).toEqual([]);
  });

  test('imports go in one direction', () => {
    const wrong = ALL_IMPORTS.filter((entry) => entry.specifier.startsWith('.') && !isAllowed(entry));
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });

  test('the table of rooms itself has no cycle', () => {
    const reaches = (room: string, seen: readonly string[]): readonly string[] =>
      (MAY_IMPORT[room] ?? []).flatMap((next) => (seen.includes(next) ? [next] : reaches(next, [...seen, next])));
    for (const room of Object.keys(MAY_IMPORT)) expect(reaches(room, [room])).not.toContain(room);
  });

  test('relative imports name a file that is there, with its ending', () => {
    const wrong = ALL_IMPORTS.filter(
      ({ specifier }) => specifier.startsWith('.') && !specifier.endsWith('.node'),
    ).filter((entry) => !entry.specifier.endsWith('.ts') || !existsSync(join(ROOT, targetOf(entry))));
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });

  test('a protocol imports no other protocol', () => {
    const wrong = ALL_IMPORTS.filter(({ from }) => from.startsWith('src/protocols/')).filter((entry) => {
      const target = targetOf(entry).split('/');
      const own = entry.from.split('/');
      return target[1] === 'protocols' && target.length > 3 && own.length > 3 && target[2] !== own[2];
    });
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });

  test('pure rooms import nothing of Node', () => {
    const wrong = ALL_IMPORTS.filter(({ from }) => PURE_ROOMS.has(roomOf(from)) && !isTest(from)).filter(
      ({ specifier }) => !specifier.startsWith('.'),
    );
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });

  test('pure rooms read no clock, no chance and no process', () => {
    const forbidden =
      /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\.|\bhrtime\b/;
    const wrong = TYPESCRIPT.filter((file) => PURE_ROOMS.has(roomOf(file)) && !isTest(file)).filter((file) =>
      forbidden.test(codeOnly(read(file))),
    );
    expect(wrong).toEqual([]);
  });

  test('outside packages stay in their rooms', () => {
    const wrong = ALL_IMPORTS.filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
      .filter(({ from, specifier }) => !(isTest(from) && TEST_PACKAGES.has(specifier)))
      .filter(({ from, specifier }) => !(PACKAGES[roomOf(from)] ?? []).includes(specifier));
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });

  test('only native/ loads the binary', () => {
    const wrong = TYPESCRIPT.filter((file) => !file.startsWith('src/native/') && !isTest(file)).filter((file) =>
      /\bcreateRequire\b|\bdlopen\b|\.node['"`]/.test(withoutComments(read(file))),
    );
    expect(wrong).toEqual([]);
  });
});

function isAllowed(entry: Import): boolean {
  const target = targetOf(entry);
  if (OPEN_FILES[target]?.includes(roomOf(entry.from))) return true;
  if (target.startsWith('test/')) return isTest(entry.from);
  const from = roomOf(entry.from);
  const to = roomOf(target);
  return target.startsWith('src/') && (from === to || (MAY_IMPORT[from] ?? []).includes(to));
}

/** A room of the native side and those it may include. */
const MAY_INCLUDE: Readonly<Record<string, readonly string[]>> = {
  core: ['core'],
  io: ['io', 'core'],
  engine: ['engine', 'io', 'core'],
  addon: ['addon', 'engine', 'io', 'core'],
  test: ['test', 'addon', 'engine', 'io', 'core'],
  fuzz: ['fuzz', 'test', 'engine', 'io', 'core'],
};

/** Standard headers that ask the system for something, throw, or tell the time. */
const NOT_FOR_CORE =
  /^(?:sys\/.*|unistd\.h|poll\.h|fcntl\.h|signal\.h|pthread\.h|time\.h|ctime|chrono|thread|mutex|condition_variable|shared_mutex|future|iostream|fstream|cstdio|stdio\.h|filesystem|random|exception|stdexcept|typeinfo|net\/.*|netinet\/.*|arpa\/.*|linux\/.*|libmnl\/.*|libnetfilter_queue\/.*|pcap.*|napi\.h|node_api\.h|uv\.h)$/;

interface Include {
  readonly from: string;
  readonly header: string;
  readonly own: boolean;
}

const ALL_INCLUDES: readonly Include[] = CPP.flatMap((file) =>
  [...read(file).matchAll(/^\s*#\s*include\s*([<"])([^>"]+)[>"]/gm)].map((match) => ({
    from: file,
    header: match[2] ?? '',
    own: match[1] === '"',
  })),
);

describe('C++ rooms', () => {
  test('includes go in one direction', () => {
    const wrong = ALL_INCLUDES.filter(({ own }) => own).filter(({ from, header }) => {
      const room = header.includes('/') ? (header.split('/')[0] ?? '') : roomOf(from);
      return !(MAY_INCLUDE[roomOf(from)] ?? []).includes(room);
    });
    expect(wrong.map(({ from, header }) => `${from} includes ${header}`)).toEqual([]);
  });

  test('core/ has no system, no clock, no thread and no exception', () => {
    const wrong = ALL_INCLUDES.filter(
      ({ from, header }) => from.startsWith('native/core/') && NOT_FOR_CORE.test(header),
    );
    expect(wrong.map(({ from, header }) => `${from} includes ${header}`)).toEqual([]);
    const throwing = CPP.filter((file) => file.startsWith('native/core/')).filter((file) =>
      /\b(?:throw|try|catch|dynamic_cast|typeid)\b/.test(codeOnly(read(file))),
    );
    expect(throwing).toEqual([]);
  });

  test('only addon/ knows Node', () => {
    const wrong = ALL_INCLUDES.filter(({ header }) => /^(?:napi|napi-inl|node_api|node|uv|v8)\.h$/.test(header)).filter(
      ({ from }) => !from.startsWith('native/addon/'),
    );
    expect(wrong.map(({ from, header }) => `${from} includes ${header}`)).toEqual([]);
  });
});

describe('sizes', () => {
  const LINES_MAX = 500;
  const README_LINES_MAX = 40;

  test('no source file is longer than 500 lines', () => {
    const long = FILES.filter((file) => /^(?:src|native|test|bench)\/.*\.(?:ts|h|cc)$/.test(file))
      .map((file) => ({ file, lines: lineCount(file) }))
      .filter(({ lines }) => lines > LINES_MAX);
    expect(long).toEqual([]);
  });

  test('lines end within 120 columns of TypeScript and 100 of C++', () => {
    const wide = [...widerThan(TYPESCRIPT, 120), ...widerThan(CPP, 100)];
    expect(wide).toEqual([]);
  });

  test('every room has a README of at most 40 lines', () => {
    const rooms = [
      ...new Set(TYPESCRIPT.filter((file) => file.split('/').length > 2).map((file) => `src/${roomOf(file)}`)),
      ...new Set(CPP.map((file) => `native/${roomOf(file)}`)),
    ];
    const wrong = rooms
      .map((room) => `${room}/README.md`)
      .filter((file) => !existsSync(join(ROOT, file)) || lineCount(file) > README_LINES_MAX);
    expect(wrong).toEqual([]);
  });
});

/** A long string literal or pattern cannot be broken, a comment can; the formatter decides about code. */
function widerThan(files: readonly string[], columns: number): readonly string[] {
  return files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => {
        if (line.length > columns && /^\s*(?:\/?\*|\/\/)/.test(line)) return [`${file}:${index + 1}`];
        const breakable = line.replace(/(['"`])(?:\\.|(?!\1).)*\1/g, '').replace(/\/(?:\\.|[^/\\\n])+\/[a-z]*/g, '');
        return line.length > columns && breakable.length > columns ? [`${file}:${index + 1}`] : [];
      }),
  );
}

describe('the catalogue', () => {
  test('every reason has a message and the words of a dropped packet', () => {
    for (const reason of REASON_NAMES) {
      expect(Object.keys(MESSAGES)).toContain(REASON_MESSAGES[reason]);
      expect(DROP_REASONS[reason]).toMatch(/\w/);
    }
  });

  test('every alert has a message', () => {
    const ids = [...withoutComments(read('src/inspect/alerts.ts')).matchAll(/\bid: '([A-Z0-9_]+)'/g)].map(
      (match) => match[1],
    );
    const mapping = withoutComments(read('src/log/reason-messages.ts'));
    expect(ids.length).toBeGreaterThan(5);
    for (const id of ids) expect(mapping).toContain(`case '${id}':`);
  });
});

describe('the repository', () => {
  const TEXT = FILES.filter((file) => !/\.(?:pcap|pcapng|png|gz)$/.test(file) && file !== 'package-lock.json');
  const own = 'test/rooms.test.ts';

  test('leaves nothing for later', () => {
    const later = new RegExp(`\\b(?:TO${''}DO|FIX${''}ME)\\b`);
    expect(TEXT.filter((file) => later.test(read(file)))).toEqual([]);
  });

  test('names no path of a machine it was made on', () => {
    const paths = new RegExp(['/wo' + 'rk/', '/ho' + 'me/[a-z]', '/ro' + 'ot/', '\\bUsers/'].join('|'));
    expect([...TEXT, 'package-lock.json'].filter((file) => paths.test(read(file)))).toEqual([]);
  });

  test('switches no check off', () => {
    const off = /biome-ignore|@ts-ignore|@ts-expect-error|@ts-nocheck|eslint-disable|NOLINT|\.only\(/;
    expect(TEXT.filter((file) => file !== own && off.test(read(file)))).toEqual([]);
  });

  test('TypeScript has no any and no default export', () => {
    const wrong = TYPESCRIPT.filter((file) =>
      /:\s*any\b|\bas any\b|<any>|\bexport default\b/.test(codeOnly(read(file))),
    );
    expect(wrong).toEqual([]);
  });

  test('package-lock.json knows packages by their hash, not by an address', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved":/);
    expect(read('package-lock.json')).toMatch(/"integrity": "sha512-/);
  });

  test('.npmrc, if there is one, names no registry', () => {
    if (!FILES.includes('.npmrc')) return;
    expect(read('.npmrc')).not.toMatch(/registry|_auth/);
  });
});
