import { expect, test } from 'vitest';
import { type Configuration, EMPTY_CONFIGURATION } from './configuration.ts';
import { usesOpenings } from './openings.ts';

const uses = (changes: Partial<Configuration>): boolean => usesOpenings({ ...EMPTY_CONFIGURATION, ...changes });

test('sessions are openings where an interface filters, a transport is inspected, or a zone is concerned', () => {
  expect(uses({ interfaces: [{ name: 'outside0', accessGroupIn: '101' }] })).toBe(true);
  expect(uses({ rules: [{ name: 'ALL', protocols: [{ protocol: 'udp' }] }] })).toBe(true);
  expect(uses({ interfaces: [{ name: 'outside0', zone: 'outside' }] })).toBe(true);
  expect(uses({ zonePairs: [{ name: 'ZP', source: 'outside', destination: 'self' }] })).toBe(true);
});

test('mail alone needs none, nor does a zone that no interface is in', () => {
  const rules = [{ name: 'MAIL', protocols: [{ protocol: 'smtp' }] }];
  expect(uses({ rules, interfaces: [{ name: 'any', inspectIn: 'MAIL' }], zones: [{ name: 'outside' }] })).toBe(false);
});
