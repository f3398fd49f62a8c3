import { beforeAll, describe, expect, it } from 'vitest';
import { loadAddon, loadPatterns } from '../../src/native/addon.ts';
import { problemsOf } from './hostile/checks.ts';
import { FAULTS } from './hostile/faults.ts';
import { build, FLAG, read } from './hostile/packets.ts';
import { POLICIES, settingsOf } from './hostile/policies.ts';
import { MailReader } from './hostile/reader.ts';
import { FAIR } from './hostile/weather.ts';
import { Wiretap } from './hostile/wiretap.ts';
import { playWorld, type Tools } from './hostile/world.ts';

/** `SIM_SEED=n` plays that one run; `SIM_RUNS=n` plays so many, from `SIM_FIRST` on. */
const FIRST_SEED = Number(process.env.SIM_SEED ?? process.env.SIM_FIRST ?? 0);
const RUNS = process.env.SIM_SEED === undefined ? Number(process.env.SIM_RUNS ?? 2_000) : 1;
const BLOCK = 250;
/** What a run may bring, and all runs together do, beside every weather. */
const ODDITIES = [
  ...['octets in a SYN', 'octets in a SYN-ACK', 'simultaneous open', 'segment larger than a link takes', 'reload'],
  ...['zero window', 'window probe', 'flow behind a Destination Options header', 'forwarded, and gone before the peer'],
  ...['server: twoAnswers', 'server: answerBeforeCommand', 'server: greetsAuthenticated', 'server: plainOnTlsPort'],
  ...['plaintext on a TLS port', 'HTTP on a TLS port', 'large hello', 'usual hello in several records'],
  ...['command behind STARTTLS', 'look-alike of the end of data', 'AUTH given up'],
  ...['bare LF in a command', 'bare CR in a command', 'NUL in a command'],
  ...['BDAT 0', 'BDAT LAST twice', 'DATA behind BDAT', 'BDAT behind DATA', 'BDAT with a leading zero'],
  ...['literal {n}', 'literal {n+}', 'literal ~{n}', 'literal ~{n+}', 'literal {0}', 'literal of 4 GB'],
];
const BLOCK_MS_MAX = 300_000;
/** So many runs at most until the oracle sees a deliberate fault. */
const FAULTY_RUNS_MAX = 60;

describe('sessions through a hostile network', () => {
  let tools: Tools;
  const seen = new Set<string>();
  beforeAll(async () => {
    const patterns = loadPatterns();
    tools = { addon: loadAddon(), patterns, settings: await settingsOf(patterns) };
  });

  const blocks = Array.from({ length: Math.ceil(RUNS / BLOCK) }, (_, block) => FIRST_SEED + block * BLOCK);
  it.each(blocks)(
    'give the receivers what was judged, from seed %i on',
    (first) => {
      for (let seed = first; seed < Math.min(first + BLOCK, FIRST_SEED + RUNS); seed += 1) {
        const run = playWorld(tools, seed);
        expect(problemsOf(run), `SIM_SEED=${seed}`).toEqual([]);
        for (const what of run.happened.keys()) seen.add(what);
        for (const [{ judged, options }] of run.flows) {
          seen.add(`policy ${judged?.policy}`);
          seen.add(`${options.script.protocol} ${judged?.refused === undefined ? 'passed' : 'refused'}`);
        }
      }
    },
    BLOCK_MS_MAX,
  );

  it.runIf(RUNS > BLOCK)('are of every protocol and policy, some refused and some not', () => {
    const kinds = ['smtp', 'pop3', 'imap'].flatMap((protocol) => [`${protocol} passed`, `${protocol} refused`]);
    expect([...seen]).toEqual(expect.arrayContaining([...kinds, ...POLICIES.map((_, index) => `policy ${index}`)]));
    const weathers = Object.keys(FAIR).filter((what) => what !== 'delayMsMax');
    expect([...seen]).toEqual(expect.arrayContaining([...weathers.map((what) => `weather ${what}`), ...ODDITIES]));
  });

  it('fail the checks when something goes to the server that was not judged so', () => {
    const run = playWorld(tools, 2);
    expect(problemsOf(run)).toEqual([]);
    expect(problemsOf({ ...run, flowsLeft: 1, counters: { ...run.counters, held: 1 } })).toHaveLength(2);
    const unit = run.flows[0]?.[1].judged?.units.initiator.find(({ forwarded }) => forwarded);
    if (unit === undefined) throw new Error('nothing was judged');
    unit.forwarded = false;
    expect(problemsOf(run).join('\n')).toMatch(/is read as/);
  });
});

describe('the oracle', () => {
  let tools: Tools;
  beforeAll(async () => {
    const patterns = loadPatterns();
    tools = { addon: loadAddon(), patterns, settings: await settingsOf(patterns) };
  });

  it.each(Object.entries(FAULTS))(
    'sees that %s',
    (_name, fault) => {
      for (let seed = 0; seed < FAULTY_RUNS_MAX; seed += 1) {
        if (problemsOf(playWorld({ ...tools, fault }, seed)).length > 0) return;
      }
      throw new Error('no run failed');
    },
    BLOCK_MS_MAX,
  );
});

describe('the reference reader', () => {
  const units = (protocol: 'smtp' | 'imap', text: string, leniency: 'strict' | 'lenient' = 'strict') => {
    const reader = new MailReader(protocol, leniency, false);
    for (const octet of text) reader.feed(octet);
    return reader.units.map((unit) => ('text' in unit ? `${unit.kind} ${unit.text}` : unit.kind));
  };

  it('ends message data where RFC 5321 does, or at a look-alike where it is lenient', () => {
    const text = 'DATA\r\na\n.\nRSET\r\n.\r\nQUIT\r\n';
    expect(units('smtp', text)).toEqual(['line DATA', 'data a\n.\nRSET\r\n.\r\n', 'line QUIT']);
    expect(units('smtp', text, 'lenient')).toEqual(['line DATA', 'data a\n.\n', 'line RSET', 'line .', 'line QUIT']);
  });

  it('counts chunks and literals, and reads nothing behind STARTTLS but a handshake', () => {
    expect(units('smtp', 'BDAT 3 LAST\r\na\r\nSTARTTLS\r\nMAIL')).toEqual([
      ...['line BDAT 3 LAST', 'counted a\r\n', 'line STARTTLS', 'noTls'],
    ]);
    expect(units('imap', 'a LOGIN {3}\r\nu\r\n x\r\nb NOOP\r\n')).toEqual([
      ...['line a LOGIN {3}', 'counted u\r\n', 'line  x', 'line b NOOP'],
    ]);
  });
});

describe('the wiretap', () => {
  const tap = () => new Wiretap(() => true);
  const segment = (sequence: number, payload: string, flags: number = FLAG.ack) => {
    const ends = { version: 4, clientPort: 20_000, serverPort: 25 } as const;
    const found = read(build(ends, { from: 'initiator', sequence, acknowledgement: 0, flags, payload }));
    if (found === undefined) throw new Error('no segment');
    return found;
  };

  it.each([
    ['an octet in two versions', [segment(1, 'ab'), segment(2, 'c')], /came as two/],
    ['octets behind a FIN', [segment(1, 'a', FLAG.ack | FLAG.fin), segment(2, 'c')], /behind the FIN/],
    ['octets behind an RST', [segment(1, '', FLAG.rst), segment(1, 'c')], /behind an RST/],
    ['urgent data', [segment(1, 'a', FLAG.ack | FLAG.urg)], /urgent/],
  ])('tells of %s', (_name, segments, problem) => {
    const one = tap();
    for (const each of [segment(0, '', FLAG.syn), ...segments]) one.take(each);
    expect(one.problems.join('\n')).toMatch(problem);
  });

  it('tells of nothing where the same comes again', () => {
    const one = tap();
    for (const each of [segment(0, '', FLAG.syn), segment(3, 'cd'), segment(1, 'ab'), segment(2, 'bc')]) one.take(each);
    expect(one.problems).toEqual([]);
    expect(one.text('initiator')).toBe('abcd');
  });
});
