import { describe, expect, test } from 'vitest';
import {
  ENVELOPE,
  GREETING,
  type PolicyText,
  refused,
  single,
  smtpDesk,
} from '../../../test/transcripts/application-policy.ts';

/** `sender address regex` and its like where servers read an address in more ways than one. */
const MAPS = { EVE: ['^eve@evil\\.test$'], TRAP: ['^trap@c\\.example$'] };
const sender = (actions: string): PolicyText => single('sender address regex EVE', actions, { maps: MAPS });
const recipient = (actions: string): PolicyText => single('recipient address regex TRAP', actions, { maps: MAPS });

const answer = (text: PolicyText, ...lines: readonly string[]): string =>
  smtpDesk(text, { learned: { sender: (address) => address === 'eve@evil.test' } }).say(...GREETING, ...lines);

// Each is eve@evil.test to Postfix, Exim or OpenSMTPD, and another address to us.
const SENDERS = [
  'eve@evil.test(<ok@ok.example>',
  '>eve@evil.test',
  'eve\\@evil.test ENVID=a<ok@ok.example>',
  '<"eve@evil".test>',
  'eve @evil.test',
  '<(:eve@evil.test> SIZE=)',
  '<x:eve@evil.test;>',
  '<<>eve@evil.test>',
  '<eve%evil.test>',
  '<evil.test!eve>',
];

describe('an address that servers read in different ways', () => {
  test.each(SENDERS)('MAIL FROM:%s is refused where a class looks at senders', (path) => {
    expect(answer(sender('reset'), `C: MAIL FROM:${path}`)).toContain(refused('unclear-address'));
    expect(answer(single('sender learned', 'reset'), `C: MAIL FROM:${path}`)).toContain('refuse ');
    expect(answer(single('cmd verb ETRN', 'reset'), `C: MAIL FROM:${path}`)).toBe('forward');
    expect(answer(recipient('reset'), `C: MAIL FROM:${path}`)).toBe('forward');
  });

  test('what a class resets anyway is refused as its own', () => {
    const hit = 'class C SENDER_ADDR_MATCHED resetting, ';
    expect(answer(sender('reset'), 'C: MAIL FROM:<eve@evil.test>')).toBe(refused('policy-sender', hit));
    expect(answer(sender('reset'), 'C: MAIL FROM:Eve <eve@evil.test>')).toBe(refused('policy-sender', hit));
  });

  test.each(['<a@b.example>', ' <a@b.example> SIZE=1 BODY=8BITMIME', 'a@b.example', '<>', '<a%b@c.example>'])(
    'MAIL FROM:%s is clear',
    (path) => expect(answer(sender('reset'), `C: MAIL FROM:${path}`)).toBe('forward'),
  );

  test('a way to go is a reading of its own', () => {
    expect(answer(sender('reset'), 'C: MAIL FROM:<eve%evil.test@ok.example>')).toContain('refuse policy-sender');
    expect(answer(sender('reset'), 'C: MAIL FROM:<evil.test!eve@ok.example>')).toContain('refuse policy-sender');
    const learned = answer(single('sender learned', 'reset'), 'C: MAIL FROM:<eve%evil.test@ok.example>');
    expect(learned).toContain('refuse policy-learned');
  });

  test('recipients likewise', () => {
    for (const path of ['trap@c.example(<ok@c.example>', '<"trap@c".example>', '>trap@c.example']) {
      const lines = [...ENVELOPE.slice(GREETING.length), `C: RCPT TO:${path}`];
      expect(answer(recipient('reset'), ...lines)).toContain(refused('unclear-address'));
      expect(answer(sender('reset'), ...lines)).toBe('forward');
    }
    const hacked = answer(recipient('reset'), 'C: MAIL FROM:<a@b.example>', 'C: RCPT TO:<trap%c.example@d.example>');
    expect(hacked).toContain('refuse policy-recipient');
  });

  test('where nothing is refused, it is told; where somebody learns, it is refused', () => {
    const path = '<"eve@evil".test>';
    expect(answer(sender('log'), `C: MAIL FROM:${path}`)).toBe('forward, alert PROTOCOL_VIOLATION');
    expect(answer(sender('reset, shadow'), `C: MAIL FROM:${path}`)).toBe('forward, alert PROTOCOL_VIOLATION');
    const learning = single('recipient address regex TRAP', 'learn sender', { maps: MAPS });
    expect(answer(learning, `C: MAIL FROM:${path}`)).toBe(refused('unclear-address'));
  });

  test('octet 0xA0 is the end of a letter in UTF-8, no blank', () => {
    const maps = { KOMU: ['@evil\\.コム$'] };
    const text = single('sender address regex KOMU', 'reset', { maps });
    const line = 'C: MAIL FROM:<eve@evil.\xe3\x82\xb3\xe3\x83\xa0> SMTPUTF8';
    expect(answer(text, line)).toContain('refuse policy-sender');
  });
});
