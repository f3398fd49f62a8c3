import { describe, expect, test } from 'vitest';
import { type Desk, MAPS, refused, smtpDesk } from '../../../test/transcripts/application-policy.ts';

const POLICY = { maps: MAPS, classes: { C: ['match-any', 'header regex SUBJECT'] } };
const OFFER = ['S: 220 mx', 'C: EHLO c', 'S: 250-mx', 'S: 250 CHUNKING'];
const ENVELOPE = ['C: MAIL FROM:<a@b.example>', 'C: RCPT TO:<u@c.example>'];

function chunkEnd<State, Policy>(desk: Desk<State, Policy>): string {
  return desk.step({ kind: 'countedEnd', from: 'initiator', bytes: 2 });
}

/** A chunk behind this envelope: a server that refused the MAIL throws it away, and the walk has begun with it. */
function afterChunk(envelope: readonly string[], actions = 'reset') {
  const desk = smtpDesk({ ...POLICY, policy: { C: actions } });
  desk.say(...OFFER, ...envelope, 'C: BDAT 2');
  chunkEnd(desk);
  return desk;
}

describe('a message that begins between the chunks of another', () => {
  test.each([
    ['a MAIL that may have been refused', ['C: MAIL FROM:<a@b.example> X=1', 'C: RCPT TO:<u@c.example>'], []],
    ['EHLO that is not answered', ENVELOPE, ['C: EHLO c']],
    ['RSET that may be refused', ENVELOPE, ['C: RSET x']],
  ])('%s', (_what, envelope, between) => {
    const desk = afterChunk(envelope);
    if (between.length > 0) expect(desk.say(...between)).toBe('forward');
    expect(desk.say('C: MAIL FROM:<a@b.example>')).toBe(`content drop, ${refused('command-out-of-state')}`);
  });

  // Exim wants a recipient before it takes a chunk, drops this one, and the transaction goes on.
  test('a RCPT behind a chunk', () => {
    const desk = afterChunk(['C: MAIL FROM:<a@b.example>', 'S: 250 ok']);
    expect(desk.say('S: 503 RCPT first')).toBe('forward');
    expect(desk.say('C: RCPT TO:<u@c.example>')).toBe(`content drop, ${refused('command-out-of-state')}`);
  });

  test('nothing is refused where nothing is refused for content', () => {
    expect(afterChunk(ENVELOPE, 'log').say('C: EHLO c', 'C: MAIL FROM:<a@b.example>')).toBe('forward');
  });

  test('behind RSET, or an answer, it is another message', () => {
    expect(afterChunk(ENVELOPE).say('C: RSET', 'C: MAIL FROM:<a@b.example>')).toBe('content drop, forward');
    const answers = ['S: 250 ok', 'S: 250 ok', 'S: 250 ok', 'C: EHLO c', 'S: 250-mx', 'S: 250 CHUNKING'];
    const desk = afterChunk(ENVELOPE);
    desk.say(...answers);
    expect(desk.say('C: MAIL FROM:<a@b.example>', 'C: RCPT TO:<u@c.example>')).toBe('forward');
    expect(desk.say('C: BDAT 30 LAST')).toContain('content beginChunks');
  });

  test('behind the last chunk a client may pipeline', () => {
    const desk = smtpDesk({ ...POLICY, policy: { C: 'reset' } });
    desk.say(...OFFER, ...ENVELOPE, 'C: BDAT 2 LAST');
    expect(chunkEnd(desk)).toBe('content finish');
    expect(desk.found([], true)).toBe('forward');
    expect(desk.say('C: MAIL FROM:<a@b.example>')).toBe('forward');
  });

  test('a chunk without a MAIL behind the last one is looked through, whenever that one is answered', () => {
    for (const between of [[], ['C: RSET']]) {
      const desk = smtpDesk({ ...POLICY, policy: { C: 'reset' } });
      desk.say(...OFFER, ...ENVELOPE, 'S: 250 ok', 'S: 250 ok', 'C: BDAT 2 LAST');
      chunkEnd(desk);
      desk.found([], true);
      expect(desk.say(...between, 'C: BDAT 2 LAST')).toContain('content beginChunks');
      expect(desk.say('S: 250 ok', ...between.map(() => 'S: 250 ok'))).toBe('forward');
      expect(chunkEnd(desk)).toBe('content finish');
    }
  });
});

describe('a last chunk that the server refuses', () => {
  const both = {
    maps: { EVE: ['eve@'], TRAP: ['trap@'] },
    classes: { C: ['match-all', 'sender address regex EVE', 'recipient address regex TRAP'] },
    policy: { C: 'reset' },
  };
  const begun = [...OFFER, 'C: MAIL FROM:<eve@evil.test>', 'S: 250 ok', 'C: BDAT 0 LAST'];

  test.each([
    ['alone', ['S: 503 RCPT first']],
    ['before a MAIL that is refused as nested', ['S: 503 no', 'C: MAIL FROM:<a@b.example>', 'S: 503 nested']],
    ['unanswered', []],
  ])('%s: what was said in the transaction goes on', (_what, between) => {
    expect(smtpDesk(both).say(...begun, ...between, 'C: RCPT TO:<trap@c.example>')).toContain(
      'refuse policy-recipient',
    );
  });

  test.each([
    ['250', 'S: 250 ok'],
    ['RSET', 'S: 503 no', 'C: RSET', 'S: 250 ok'],
    ['EHLO', 'S: 503 no', 'C: EHLO c', 'S: 250 mx'],
  ])('%s ends it', (_what, ...lines) => {
    const next = ['C: MAIL FROM:<a@b.example>', 'C: RCPT TO:<trap@c.example>'];
    expect(smtpDesk(both).say(...begun, ...lines, ...next)).toBe('forward');
  });

  test('with another MAIL behind it nobody knows whose message it is; a RSET between them tells', () => {
    expect(smtpDesk(both).say(...begun, 'C: MAIL FROM:<a@b.example>', 'S: 503 no')).toContain(
      'refuse unexpected-reply',
    );
    expect(smtpDesk(both).say(...begun, 'C: MAIL FROM:<a@b.example>', 'S: 421 bye')).toBe('forward');
    expect(smtpDesk(both).say(...begun, 'C: RSET', 'C: MAIL FROM:<a@b.example>', 'S: 503 no')).toBe('forward');
  });
});
