import { describe, expect, it } from 'vitest';
import { applicationSmtp, type PolicyText, smtpPolicyOf } from './application-policy.ts';
import { FakeEngine } from './fake-engine.ts';
import { problemOfSplitting } from './runner.ts';

/** `match starttls`, in every way of splitting. */

const greeting = (...keywords: readonly string[]): readonly string[] => [
  'S: 220 mx',
  'C: EHLO c',
  'S: 250-mx',
  ...keywords.map((keyword, index) => `S: 250${index === keywords.length - 1 ? ' ' : '-'}${keyword}`),
  'C: MAIL FROM:<a@b.ex>',
];

function play(what: string, lines: readonly string[], before = false) {
  const text: PolicyText = {
    maps: {},
    classes: { C: ['match-any', `starttls ${what}`] },
    policy: { C: 'reset, log' },
  };
  const base = smtpPolicyOf(text);
  const environment = { ...base.environment, offeredStarttls: (server: string) => before && server === 'mx 25' };
  const policy = { ...base, environment, server: 'mx 25' };
  const rows = lines.map((line) => ({
    from: line.startsWith('C') ? ('initiator' as const) : ('responder' as const),
    octets: `${line.slice(3)}\r\n`,
  }));
  const suite = { inspector: applicationSmtp, policy };
  expect(problemOfSplitting(suite, { title: '', rows, policy: {}, expected: [], never: [] })).toBeUndefined();
  const engine = new FakeEngine(applicationSmtp, policy);
  for (const { from, octets } of rows) engine.feed(from, octets);
  return { hits: engine.hits.map(({ event, detail }) => `${event} ${detail}`), refusal: engine.refusal?.words ?? '' };
}

const PASSED = { hits: [], refusal: '' };
const refused = (what: string) => ({
  hits: [`STARTTLS ${what}`],
  refusal: '554 5.7.1 gw.example refused: the server offers no STARTTLS, or does not begin it\r\n',
});

describe('match starttls', () => {
  it('missing: the answer to EHLO ends without it', () => {
    expect(play('missing', greeting('SIZE'))).toEqual(refused('missing'));
    expect(play('missing', greeting('SIZE', 'XXXXXXXA'))).toEqual(refused('missing'));
    expect(play('missing', greeting('SIZE', 'STARTTLS'))).toEqual(PASSED);
    expect(play('missing', greeting('starttls', 'SIZE'), true)).toEqual(PASSED);
    expect(play('missing', ['S: 220 mx', 'C: HELO c', 'S: 250 mx', 'C: MAIL FROM:<a@b.ex>'])).toEqual(PASSED);
  });

  it('missing: EHLO is answered by another 2xx, which clients take for its 250', () => {
    const lines = ['S: 220 mx', 'C: EHLO c', 'S: 220-mx', 'S: 220 SIZE', 'C: MAIL FROM:<a@b.ex>'];
    expect(play('missing', lines)).toEqual(refused('missing'));
    expect(play('stripped', lines, true)).toEqual(refused('stripped'));
  });

  it('missing: EHLO is refused, and the client falls back to HELO', () => {
    const refusing = (code: string) => ['S: 220 mx', 'C: EHLO c', `S: ${code} what`, 'C: HELO c', 'S: 250 mx'];
    const lines = [...refusing('502'), 'C: MAIL FROM:<a@b.ex>'];
    expect(play('missing', lines)).toEqual(refused('missing'));
    expect(play('stripped', lines, true)).toEqual(refused('stripped'));
    expect(play('stripped', lines)).toEqual(PASSED);
    expect(play('missing', [...refusing('451'), 'C: MAIL FROM:<a@b.ex>'])).toEqual(PASSED);
    expect(play('missing', [...refusing('502').slice(0, 4), 'S: 502 what', 'C: QUIT'])).toEqual(PASSED);
  });

  it('stripped: overwritten on the way, or offered before', () => {
    expect(play('stripped', greeting('XXXXXXXA', 'SIZE'))).toEqual(refused('stripped'));
    expect(play('stripped', greeting('SIZE'), true)).toEqual(refused('stripped'));
    expect(play('stripped', greeting('SIZE'))).toEqual(PASSED);
    expect(play('stripped', greeting('XXXXXXXX', 'STARTTLS'), true)).toEqual(PASSED);
  });

  it('missing, and stripped where it was offered before: the server, or somebody in its name, refuses to begin', () => {
    const asking = (code: string, ...behind: readonly string[]) => [
      ...greeting('STARTTLS').slice(0, -1),
      'C: STARTTLS',
      `S: ${code} 4.7.0 not now`,
      ...behind,
    ];
    for (const code of ['454', '502', '554']) {
      const lines = asking(code, 'C: MAIL FROM:<a@b.ex>');
      expect(play('missing', lines)).toEqual(refused('refused'));
      expect(play('stripped', lines, true)).toEqual(refused('refused'));
      expect(play('stripped', lines)).toEqual(PASSED);
    }
    // RFC 5321 3.8: the server goes away, whatever it was asked.
    expect(play('missing', asking('421'))).toEqual(PASSED);
    expect(play('missing', asking('220'))).toEqual(PASSED);
    const noop = [...greeting('STARTTLS').slice(0, -1), 'C: NOOP', 'S: 454 not now', 'C: MAIL FROM:<a@b.ex>'];
    expect(play('missing', noop)).toEqual(PASSED);
  });

  it('what our own policy masks was offered all the same', () => {
    const masking: PolicyText = {
      maps: {},
      classes: { M: ['match-any', 'reply ehlo STARTTLS'], C: ['match-any', 'starttls missing', 'starttls stripped'] },
      policy: { M: 'mask', C: 'reset' },
    };
    const engine = new FakeEngine(applicationSmtp, smtpPolicyOf(masking));
    for (const line of greeting('STARTTLS', 'SIZE')) {
      engine.feed(line.startsWith('C') ? 'initiator' : 'responder', `${line.slice(3)}\r\n`);
    }
    expect(engine.receivedFrom('responder')).toContain('XXXXXXXX');
    expect(engine.refusal).toBeUndefined();
    // Who asks for it all the same does not get it: the policy wants to read.
    engine.feed('responder', '250 ok\r\n');
    engine.feed('initiator', 'STARTTLS\r\n');
    expect(engine.receivedFrom('initiator')).toMatch(/x{8}\r\n$/);
  });
});
