import { describe, expect, test } from 'vitest';
import { applicationSmtp, single, smtpPolicyOf } from '../../../test/transcripts/application-policy.ts';
import { FakeEngine } from '../../../test/transcripts/fake-engine.ts';

/** `recipient invalid count … reset`: a chunk is half of a message's end, and the refusals are not there yet. */
const HEAD = 'EHLO c\r\n';
const OFFER = '250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n';
const envelope = (recipients: number): string =>
  `MAIL FROM:<a@b.example>\r\n${Array.from({ length: recipients }, (_, i) => `RCPT TO:<${i}@c.example>\r\n`).join('')}`;

function burst(match: string, actions: string, chunks = 'BDAT 5 LAST\r\nhello', recipients = 4) {
  const engine = new FakeEngine(applicationSmtp, smtpPolicyOf(single(match, actions)));
  engine.feed('responder', '220 mx\r\n');
  engine.feed('initiator', HEAD);
  engine.feed('responder', OFFER);
  engine.feed('initiator', envelope(recipients) + chunks);
  return engine;
}

const REFUSED = '550 5.1.1 nobody\r\n';
const COUNT = 'recipient invalid count gt 2';

describe('chunks in one burst with their recipients', () => {
  test.each([
    ['the last one', 'BDAT 5 LAST\r\nhello'],
    ['one before the last', 'BDAT 5\r\nhelloBDAT 0 LAST\r\n'],
  ])('%s waits until all recipients are answered, and is refused with them', (_what, chunks) => {
    const engine = burst(COUNT, 'reset', chunks);
    expect(engine.receivedFrom('initiator')).not.toContain('hello');
    engine.feed('responder', `250 ok\r\n${REFUSED.repeat(4)}`);
    expect(engine.receivedFrom('initiator')).not.toContain('hello');
    expect(engine.refusal?.words).toMatch(/^554 5\.7\.1 gw\.example refused: too many invalid recipients/);
    expect(engine.receivedFrom('responder').match(/550/g)).toHaveLength(3);
  });

  test('goes on where there are fewer', () => {
    const engine = burst(COUNT, 'reset');
    engine.feed('responder', `250 ok\r\n250 ok\r\n250 ok\r\n${REFUSED}`);
    expect(engine.receivedFrom('initiator')).not.toContain('hello');
    engine.feed('responder', REFUSED);
    expect(engine.receivedFrom('initiator')).toMatch(/BDAT 5 LAST\r\nhello$/);
    engine.feed('responder', '250 queued\r\n');
    engine.feed('initiator', 'QUIT\r\n');
    expect(engine.receivedFrom('initiator')).toMatch(/helloQUIT\r\n$/);
    expect(engine.refusal).toBeUndefined();
  });

  test.each([
    ['no class resets for it', COUNT, 'log'],
    ['none carries it out', COUNT, 'reset, shadow'],
    ['another thing is counted', 'recipient count gt 20', 'reset'],
  ])('does not wait where %s', (_what, match, actions) => {
    expect(burst(match, actions).receivedFrom('initiator')).toMatch(/hello$/);
  });

  test('does not wait behind answered recipients', () => {
    const engine = burst(COUNT, 'reset', '', 2);
    engine.feed('responder', '250 ok\r\n250 ok\r\n250 ok\r\n');
    engine.feed('initiator', 'BDAT 5 LAST\r\nhello');
    expect(engine.receivedFrom('initiator')).toMatch(/hello$/);
  });
});
