import { describe, expect, it } from 'vitest';
import { zoneInspection } from '../policy/zone-inspection.ts';
import { configLines } from './format-inspect.ts';
import { parseConfiguration } from './parse-configuration.ts';
import { printConfiguration } from './print-configuration.ts';

const load = (...lines: readonly string[]) => parseConfiguration(lines.join('\n'), 'test');
const savedLines = (...lines: readonly string[]) => {
  const { configuration } = load(...lines);
  const text = printConfiguration(configuration);
  const saved = typeof text === 'string' ? text.split('\n') : [...text];
  return saved.filter((line) => /inspect name|line-endings|require-tls|starttls/.test(line));
};

describe('line-endings and require-tls', () => {
  it.each([
    'ip inspect name M esmtp line-endings strict require-tls mail',
    'ip inspect name M smtp line-endings tolerant require-tls auth',
    'ip inspect name M pop3 secure-login line-endings normalize require-tls login',
    'ip inspect name M imap reset require-tls login timeout 60',
  ])('%s is saved as it was typed', (line) => {
    expect(savedLines(line)).toEqual([line]);
  });

  it.each([
    'ip inspect name M esmtp require-tls login',
    'ip inspect name M pop3 require-tls mail',
    'ip inspect name M smtps line-endings strict',
    'ip inspect name M esmtp line-endings lax',
  ])('%s is an error', (line) => {
    expect(load(line).errors).toHaveLength(1);
  });

  it('a parameter-map keeps one for SMTP and one for mailboxes', () => {
    const map = ['parameter-map type inspect P', 'line-endings tolerant', 'require-tls auth', 'require-tls login'];
    expect(savedLines(...map, 'require-tls mail')).toEqual([
      ' line-endings tolerant',
      ' require-tls mail',
      ' require-tls login',
    ]);
    expect(savedLines(...map, 'no require-tls login', 'no line-endings')).toEqual([' require-tls auth']);
    const settings = { lineEndings: 'tolerant', requireTls: 'auth', requireTlsForLogin: true };
    expect(zoneInspection(load(...map).configuration, 'P')).toMatchObject(settings);
    const none = { lineEndings: 'normalize', requireTls: 'never', requireTlsForLogin: false };
    expect(zoneInspection(load('parameter-map type inspect P').configuration, 'P')).toMatchObject(none);
  });

  it('show ip inspect config names them where they are configured', () => {
    const shown = (line: string) => configLines(load(line).configuration).at(-1);
    expect(shown('ip inspect name M pop3 line-endings strict require-tls login')).toContain(
      'pop3 line-endings strict require-tls login alert is on',
    );
    expect(shown('ip inspect name M pop3')).toContain('pop3 alert is on');
  });

  it('match starttls is saved', () => {
    const lines = ['class-map type inspect smtp C', 'match starttls stripped', 'match starttls missing'];
    expect(savedLines(...lines)).toEqual([' match starttls stripped', ' match starttls missing']);
  });
});
