import { expect, test } from 'vitest';
import { REASON_NAMES } from '../inspect/reasons.ts';
import { messagesManual } from './manual.ts';
import { MESSAGE_IDS, MESSAGES } from './messages.ts';

test('man/postern-messages.7 is up to date (vitest run -u writes it)', async () => {
  await expect(messagesManual()).toMatchFileSnapshot('../../man/postern-messages.7');
});

test('every message and every reason has its place', () => {
  const manual = messagesManual();
  for (const id of MESSAGE_IDS) {
    expect(manual).toContain(`%${MESSAGES[id].facility}\\-${MESSAGES[id].severity}\\-${id}\n`);
  }
  for (const reason of REASON_NAMES) expect(manual).toContain(`.B ${reason.replaceAll('-', '\\-')}\n`);
});

test('no line of text can be read as a request', () => {
  const requests = messagesManual()
    .split('\n')
    .filter((line) => /^[.']/.test(line));
  for (const line of requests) expect(line).toMatch(/^\.(?:\\"|TH|SH|SS|PP|TP|B |BR|in|nf|fi)/);
});
