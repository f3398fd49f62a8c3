import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CLIENT_OPENINGS,
  isSshIdentification,
  type Opening,
  readOpening,
  SERVER_OPENINGS,
  TAGGED_OPENINGS,
} from './foreign.ts';
import { tlsAlert } from './tls-alert.ts';

const spokenIn = (opening: Opening): string => (opening.kind === 'foreign' ? opening.spoken : opening.kind);
const byClient = (text: string): string => spokenIn(readOpening(text, CLIENT_OPENINGS));
const afterTag = (text: string): string => spokenIn(readOpening(text, TAGGED_OPENINGS));
const byServer = (text: string): string => spokenIn(readOpening(text, SERVER_OPENINGS));

describe('an opening', () => {
  it.each([
    ['GET / HTTP/1.1', 'HTTP'],
    ['POST http://x/', 'HTTP'],
    ['OPTIONS * HTTP/1.1', 'HTTP'],
    ['PRI * HTTP/2.0', 'HTTP'],
    ['CONNECT mx:25', 'HTTP'],
    ['CONNECT [::1]:25', 'HTTP'],
    ['SSH-2.0-x', 'SSH'],
    ['\x16', 'TLS'],
    ['\x15\x03', 'TLS'],
    ['GET ', 'undecided'],
    ['DELETE https', 'undecided'],
    ['SS', 'undecided'],
    ['', 'none'],
    ['get /', 'none'],
    ['GET x', 'none'],
    ['GETS /', 'none'],
    ['SSHD', 'none'],
    [' GET /', 'none'],
    ['\x13', 'none'],
    ['\x18\x03', 'none'],
    ['EHLO x', 'none'],
    ['HTTP/1.1', 'none'],
  ])('%j of a client is %s', (text, spoken) => expect(byClient(text)).toBe(spoken));

  it('is told by less where a tag may stand first', () => {
    expect(afterTag('GET / x')).toBe('HTTP');
    expect(afterTag('\x16')).toBe('TLS');
    for (const line of ['SSH-2.0-x', 'CONNECT x', 'GET NOOP', 'PRI NOOP']) expect(afterTag(line)).toBe('none');
    expect(isSshIdentification('SSH-2.0-OpenSSH_9.2p1 Debian-2')).toBe(true);
    for (const line of ['SSH-1 NOOP', 'SSH-2.0', 'ssh-2.0-x', 'a SSH-2.0-x'])
      expect(isSshIdentification(line)).toBe(false);
  });

  it('of a server is that of its answer', () => {
    expect([byServer('HTTP/1.0 400'), byServer('SSH-2.0-x'), byServer('\x15')]).toEqual(['HTTP', 'SSH', 'TLS']);
    expect([byServer('GET /'), byServer('220 HTTP/1.1'), byServer('HTTP'), byServer('SSHD')]).toEqual([
      'none',
      'none',
      'undecided',
      'none',
    ]);
  });

  it('is what a pattern says, undecided at each beginning of one, and never taken back', () => {
    const words = fc.constantFrom(
      'GET',
      'OPTIONS',
      'CONNECT',
      'PRI',
      'SSH-',
      ' ',
      '/',
      '*',
      'http',
      's',
      ':',
      'a',
      '\x16',
      'G',
    );
    const texts = fc.array(words, { maxLength: 5 }).map((parts) => parts.join(''));
    const pattern =
      /^(?:SSH-|PRI \*|CONNECT [0-9A-Za-z[]|(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|PATCH) (?:[/*]|https?:))/;
    fc.assert(
      fc.property(texts, (text) => {
        const foreign = !['none', 'undecided'].includes(byClient(text));
        expect(foreign).toBe(text.startsWith('\x16') || pattern.test(text));
        if (text.length > 1 && byClient(text) !== 'none') {
          const before = byClient(text.slice(0, -1));
          expect(before === 'undecided' || before === byClient(text)).toBe(true);
        }
      }),
    );
  });
});

it('a fatal alert is one record (RFC 8446 6)', () => {
  expect(tlsAlert('protocol_version')).toBe('\x15\x03\x01\0\x02\x02\x46');
  expect(tlsAlert('unexpected_message')).toBe('\x15\x03\x01\0\x02\x02\x0a');
});
