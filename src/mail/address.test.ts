import { describe, expect, it } from 'vitest';
import { parsePath, pathEnd } from './address.ts';

describe('parsePath', () => {
  it.each([
    ['<a@example.com>', 'a', 'example.com'],
    ['<> SIZE=10', '', ''],
    [' <a@example.com>', 'a', 'example.com'],
    ['a@example.com', 'a', 'example.com'],
    ['<postmaster>', 'postmaster', ''],
    ['<"a@b"@example.com>', '"a@b"', 'example.com'],
    ['<"a>b|c"@example.com> NOTIFY=NEVER', '"a>b|c"', 'example.com'],
    ['<"a\\"b"@example.com>', '"a\\"b"', 'example.com'],
    ['<a@[IPv6:2001:db8::1]>', 'a', '[IPv6:2001:db8::1]'],
    ['<a@example.com', 'a', 'example.com'],
    ['<@ok.example,@b.example:x@evil.test>', 'x', 'evil.test'],
  ])('%s', (argument, localPart, domain) => {
    expect(parsePath(argument)).toMatchObject({ localPart, domain });
  });

  it('names each host of a source route', () => {
    const path = parsePath('<@a.example, @b.example:user@c.example>');
    expect(path).toMatchObject({ route: ['a.example', 'b.example'], address: 'user@c.example' });
  });

  it('takes a colon for a route only behind an at sign', () => {
    expect(parsePath('<a:b@c.example>')).toMatchObject({ route: [], address: 'a:b@c.example' });
  });

  it('keeps the parameters as sent', () => {
    expect(parsePath('<a@b.example>  SIZE=10 BODY=8BITMIME').parameters).toEqual(['SIZE=10', 'BODY=8BITMIME']);
    expect(parsePath('a@b.example SIZE=10')).toMatchObject({ address: 'a@b.example', parameters: ['SIZE=10'] });
  });
});

describe('pathEnd', () => {
  it('never moves back when more octets come', () => {
    const argument = ' <"a>b"@c.example> SIZE=1';
    const ends = Array.from(argument, (_octet, index) => pathEnd(argument.slice(0, index + 1)));
    expect(ends).toEqual([...ends].sort((one, two) => one - two));
    expect(ends.at(-1)).toBe(' <"a>b"@c.example>'.length);
  });
});
