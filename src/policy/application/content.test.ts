import { describe, expect, test } from 'vitest';
import {
  ENVELOPE,
  GREETING,
  MAPS,
  type PolicyText,
  refused,
  single,
  smtpDesk,
} from '../../../test/transcripts/application-policy.ts';
import type { ContentFact } from '../../inspect/facts.ts';
import type { Action } from '../../inspect/inspector.ts';

const header = (map: number, field = 'Subject'): ContentFact => ({ kind: 'header', map, field });

describe('message content', () => {
  const data = [...ENVELOPE, 'C: DATA'];

  test('the walk begins with the data, and its last word decides about the end', () => {
    const desk = smtpDesk(single('header regex SUBJECT', 'reset'));
    expect(desk.say(...data, 'S: 354 go')).toMatch(/^content beginData, forward, frameAs C mailData/);
    expect(desk.found([])).toBe('forward');
    expect(desk.dataEnd()).toBe('content finish');
    expect(desk.found([], true)).toBe('forward');
    expect(desk.say('S: 250 queued', 'C: NOOP')).toBe('forward');
  });

  test('what is found before the end is refused where it stands, and the walk dropped', () => {
    const desk = smtpDesk(single('header regex SUBJECT', 'reset'));
    desk.say(...data, 'S: 354 go');
    expect(desk.found([header(0)])).toBe(
      `content drop, ${refused('policy-header', 'class C HEADER_REGEX_MATCHED resetting, ')}`,
    );
  });

  test('what is found at the end keeps the end from passing', () => {
    const desk = smtpDesk(single('body regex MARK', 'reset'));
    desk.say(...data, 'S: 354 go');
    desk.dataEnd();
    expect(desk.found([{ kind: 'body', map: 0, decoded: false }], true)).toBe(
      refused('policy-body', 'class C BODY_REGEX_MATCHED resetting, '),
    );
  });

  test('what is logged goes on, a hit for each', () => {
    const desk = smtpDesk(single('header regex SUBJECT', 'log'));
    desk.say(...data, 'S: 354 go');
    const hit = 'class C HEADER_REGEX_MATCHED logging';
    expect(desk.found([header(0), header(0, 'X-Subject')])).toBe(`forward, ${hit}, ${hit}`);
    desk.dataEnd();
    expect(desk.found([header(0)], true)).toBe(`forward, ${hit}`);
  });

  test('maps and kinds of other classes and policies mean nothing', () => {
    const desk = smtpDesk(single('header regex SUBJECT', 'reset'));
    desk.say(...data, 'S: 354 go');
    const others: readonly ContentFact[] = [
      header(1),
      { kind: 'body', map: 0, decoded: false },
      { kind: 'contentType', map: 0, type: 'image/png' },
      { kind: 'encoding', token: 'base64' },
      { kind: 'headerLength', over: 5 },
    ];
    expect(desk.found(others)).toBe('forward');
  });

  test('a body that is decoded is another match than one that is as it is', () => {
    const found = (match: string, decoded: boolean): string => {
      const desk = smtpDesk(single(match, 'reset'));
      desk.say(...data, 'S: 354 go');
      return desk.found([{ kind: 'body', map: 0, decoded }]);
    };
    expect(found('body regex MARK', false)).toContain('refuse');
    expect(found('body regex MARK', true)).toBe('forward');
    expect(found('body regex MARK decoded', true)).toContain('refuse');
    expect(found('body regex MARK decoded', false)).toBe('forward');
  });

  test.each([
    ['7-bit', '7bit', '8bit'],
    ['8-bit', '8bit', '7bit'],
    ['base64', 'base64', 'x-base64'],
    ['binary', 'binary', '8bit'],
    ['quoted-printable', 'quoted-printable', 'base64'],
    ['x-uuencode', 'uuencode', 'base64'],
    ['x-uuencode', 'x-uue', 'unknown'],
    ['unknown', 'x-foo', 'x-uuencode'],
    ['unknown', '', 'binary'],
    ['x-foo', 'x-foo', 'x-fo'],
  ])('encoding %s is %s and not %s', (name, token, other) => {
    const found = (tokens: readonly string[]): string => {
      const desk = smtpDesk(single(`mime encoding ${name}`, 'reset'));
      desk.say(...data, 'S: 354 go');
      return desk.found(tokens.map((each) => ({ kind: 'encoding', token: each })));
    };
    expect(found([other])).toBe('forward');
    expect(found([other, token])).toContain('refuse policy-encoding');
  });

  test.each([
    ['header length gt 100', 'headerLength', 'policy-header-length'],
    ['data-length gt 100', 'dataLength', 'policy-data-length'],
  ] as const)('%s', (match, kind, reason) => {
    const desk = smtpDesk(single(match, 'reset'));
    desk.say(...data, 'S: 354 go');
    expect(desk.found([{ kind, over: 50 }])).toBe('forward');
    expect(desk.found([{ kind, over: 100 }])).toContain(`refuse ${reason}`);
  });

  test('a content type', () => {
    const desk = smtpDesk(single('mime content-type regex IMAGE', 'log', { maps: { IMAGE: ['*image//*'] } }));
    desk.say(...data, 'S: 354 go');
    expect(desk.found([{ kind: 'contentType', map: 0, type: 'image/png' }])).toContain('MIME_CONTENT_TYPE logging');
    expect(desk.last[1]).toMatchObject({ hit: { detail: 'image/png' } });
  });

  test('a budget of the walk refuses where something could have been, else it is told; by its name', () => {
    const why = 'the message cannot be looked through: too many parts';
    const alert = { kind: 'alert', alert: { id: 'PROTOCOL_VIOLATION', text: why } };
    const found = (actions: string): readonly Action[] => {
      const desk = smtpDesk(single('body regex MARK', actions));
      desk.say(...data, 'S: 354 go');
      desk.found([{ kind: 'limit', name: 'parts' }]);
      return desk.last;
    };
    const words = `554 5.7.1 gw.example refused: ${why}\r\n`;
    expect(found('reset')).toEqual([
      { kind: 'content', what: 'drop' },
      alert,
      { kind: 'refuse', reason: 'content-limit', how: 'words', words },
    ]);
    expect(found('log')).toEqual([{ kind: 'forward' }, alert]);
    expect(found('reset, shadow')).toEqual([{ kind: 'forward' }, alert]);
  });

  test('chunks are walked from their first to the last, an empty last one too', () => {
    const chunking = ['S: 220 mx', 'C: EHLO c', 'S: 250-mx', 'S: 250 CHUNKING'];
    const desk = smtpDesk(single('body regex MARK', 'reset'));
    desk.say(...chunking, 'C: MAIL FROM:<a@b.example>', 'S: 250 ok');
    expect(desk.say('C: BDAT 3')).toBe('content beginChunks, forward, frameAs C counted 3');
    expect(desk.step({ kind: 'countedEnd', from: 'initiator', bytes: 3 })).toBe('forward');
    expect(desk.say('C: BDAT 3 LAST')).toBe('forward, frameAs C counted 3');
    expect(desk.step({ kind: 'countedEnd', from: 'initiator', bytes: 3 })).toBe('content finish');
    expect(desk.found([], true)).toBe('forward');
    desk.say('S: 250 ok', 'S: 250 queued', 'C: MAIL FROM:<a@b.example>', 'S: 250 ok');
    expect(desk.say('C: BDAT 0 LAST')).toBe('content beginChunks, content finish');
    expect(desk.found([], true)).toBe('forward');
  });

  test('a chunk comes before the words when its line is refused at its end', () => {
    const desk = smtpDesk({
      classes: { A: ['match-any', 'cmd line length gt 100'], B: ['match-any', 'cmd verb BDAT'] },
      policy: { A: 'log', B: 'reset' },
    });
    desk.say('S: 220 mx', 'C: EHLO c', 'S: 250-mx', 'S: 250 CHUNKING', 'C: MAIL FROM:<a@b.example>', 'S: 250 ok');
    expect(desk.begin('BDAT 3')).toBe('forward');
    expect(desk.say('C: BDAT 3')).toMatch(/^frameAs C counted 3, .*refuse policy-command/);
  });

  test('a message that is given up takes its walk along', () => {
    const desk = smtpDesk(single('body regex MARK', 'reset'));
    desk.say('S: 220 mx', 'C: EHLO c', 'S: 250-mx', 'S: 250 CHUNKING', 'C: MAIL FROM:<a@b.example>', 'S: 250 ok');
    desk.say('C: BDAT 3');
    desk.step({ kind: 'countedEnd', from: 'initiator', bytes: 3 });
    desk.say('S: 250 ok', 'C: RSET');
    expect(desk.say('S: 250 ok')).toBe('content drop, forward');
  });

  test('so does one that the machine refuses', () => {
    const desk = smtpDesk(single('body regex MARK', 'log'));
    desk.say(...data, 'S: 354 go');
    expect(desk.step({ kind: 'endOfDataLookAlike', from: 'initiator' })).toMatch(/^content drop, refuse/);
  });

  test('a policy without content classes asks for none', () => {
    const desk = smtpDesk(single('sender address regex DEALS', 'reset'));
    expect(desk.say(...data, 'S: 354 go')).not.toContain('content');
    expect(desk.dataEnd()).toBe('forward');
  });
});

describe('match-all over stages (D-46)', () => {
  const both: PolicyText = {
    maps: MAPS,
    classes: { C: ['match-all', 'sender address regex DEALS', 'header regex SUBJECT'] },
    policy: { C: 'reset' },
  };
  const message = (sender: string): readonly string[] => [
    `C: MAIL FROM:<${sender}>`,
    'S: 250 ok',
    'C: RCPT TO:<u@c.example>',
    'S: 250 ok',
    'C: DATA',
    'S: 354 go',
  ];

  test('holds when the last of its conditions does', () => {
    const desk = smtpDesk(both);
    expect(desk.say(...GREETING, ...message('a@deals.com'))).not.toContain('class');
    expect(desk.found([header(1)])).toContain('class C HEADER_REGEX_MATCHED resetting, refuse policy-header');
  });

  test('one of them is not enough', () => {
    const desk = smtpDesk(both);
    desk.say(...GREETING, ...message('a@b.example'));
    expect(desk.found([header(1)])).toBe('forward');
    desk.dataEnd();
    expect(desk.found([header(1)], true)).toBe('forward');
  });

  test('what held is gone with the message', () => {
    const desk = smtpDesk(both);
    desk.say(...GREETING, ...message('a@deals.com'));
    desk.dataEnd();
    desk.found([], true);
    desk.say('S: 250 queued', ...message('a@b.example'));
    expect(desk.found([header(1)])).toBe('forward');
  });

  test('what held in one message does not meet what holds in the next', () => {
    const desk = smtpDesk(both);
    desk.say(...GREETING, ...message('a@b.example'));
    desk.found([header(1)]);
    desk.dataEnd();
    desk.found([], true);
    expect(desk.say('S: 250 queued', 'C: MAIL FROM:<a@deals.com>')).toBe('forward');
  });

  test('two conditions of one kind are two', () => {
    const desk = smtpDesk({
      maps: { A: ['^A:'], B: ['^B:'] },
      classes: { C: ['match-all', 'header regex A', 'header regex B'] },
      policy: { C: 'log' },
    });
    desk.say(...GREETING, ...message('a@b.example'));
    expect(desk.found([header(0, 'A'), header(0, 'A')])).toBe('forward');
    expect(desk.found([header(1, 'B')])).toBe('forward, class C HEADER_REGEX_MATCHED logging');
  });

  test('a keyword lasts until the next greeting, a count as long as the connection', () => {
    const desk = smtpDesk({
      maps: MAPS,
      classes: { C: ['match-all', 'reply ehlo SIZE', 'sender address regex DEALS'] },
      policy: { C: 'log' },
    });
    const hit = 'forward, class C SENDER_ADDR_MATCHED logging';
    expect(desk.say('S: 220 mx', 'C: EHLO c', 'S: 250-mx', 'S: 250 SIZE', 'C: MAIL FROM:<a@deals.com>')).toBe(hit);
    expect(desk.say('S: 250 ok', 'C: RSET', 'S: 250 ok', 'C: MAIL FROM:<a@deals.com>')).toBe(hit);
    expect(desk.say('S: 250 ok', 'C: EHLO c', 'S: 250 mx', 'C: MAIL FROM:<a@deals.com>')).toBe('forward');
  });

  test('STARTTLS ends what was latched, and the walk', () => {
    const desk = smtpDesk(both);
    desk.say(...GREETING, 'C: MAIL FROM:<a@deals.com>', 'S: 250 ok', 'C: STARTTLS', 'S: 220 go');
    desk.step({ kind: 'tlsStart', from: 'initiator', wellFormed: true });
    expect(desk.step({ kind: 'tlsStart', from: 'responder', wellFormed: true })).toContain('stop tls');
    expect(desk.state.memory.message).toBeUndefined();
  });
});
