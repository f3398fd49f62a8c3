import { describe, expect, test } from 'vitest';
import { type Configuration, EMPTY_CONFIGURATION, type InspectionRule } from '../policy/configuration.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { selectInspection } from './selection.ts';

const rule = (name: string, ...protocols: InspectionRule['protocols']): InspectionRule => ({ name, protocols });
const MAIL = rule('MAIL', { protocol: 'smtp' }, { protocol: 'pop3', reset: true }, { protocol: 'imap' });
const OTHER = rule('OTHER', { protocol: 'smtp' });

const configuration = (
  interfaces: Configuration['interfaces'],
  rules: Configuration['rules'] = [MAIL, OTHER],
): Configuration => ({ ...EMPTY_CONFIGURATION, rules, interfaces });

const through = { inInterface: 'eth0', outInterface: 'eth1' };
const ruleOf = (...given: Parameters<typeof selectInspection>): string | undefined => selectInspection(...given)?.rule;

describe('where a rule is bound', () => {
  test('in: the interface a connection enters, not the one it leaves', () => {
    const bound = configuration([{ name: 'eth0', inspectIn: 'MAIL' }]);
    expect(ruleOf(bound, 'smtp', through)).toBe('MAIL');
    expect(ruleOf(bound, 'smtp', { inInterface: 'eth1', outInterface: 'eth0' })).toBeUndefined();
  });

  test('out: the interface it leaves, not the one it enters', () => {
    const bound = configuration([{ name: 'eth1', inspectOut: 'MAIL' }]);
    expect(ruleOf(bound, 'smtp', through)).toBe('MAIL');
    expect(ruleOf(bound, 'smtp', { inInterface: 'eth1', outInterface: 'eth0' })).toBeUndefined();
  });

  test('in goes before out, a named interface before any', () => {
    const both = configuration([
      { name: 'any', inspectIn: 'OTHER' },
      { name: 'eth1', inspectOut: 'OTHER' },
      { name: 'eth0', inspectIn: 'MAIL' },
    ]);
    expect(ruleOf(both, 'smtp', through)).toBe('MAIL');
    expect(ruleOf(both, 'smtp', { inInterface: 'eth7', outInterface: 'eth8' })).toBe('OTHER');
  });

  test('a rule without the protocol leaves the flow to the next', () => {
    const bound = configuration([
      { name: 'eth0', inspectIn: 'OTHER' },
      { name: 'any', inspectIn: 'MAIL' },
    ]);
    expect(ruleOf(bound, 'pop3', through)).toBe('MAIL');
    expect(ruleOf(bound, 'smtp', through)).toBe('OTHER');
  });

  test('no interface, or a rule that is not there: not ours', () => {
    expect(ruleOf(configuration([]), 'smtp', through)).toBeUndefined();
    expect(ruleOf(configuration([{ name: 'eth0', inspectIn: 'GONE' }]), 'smtp', through)).toBeUndefined();
  });
});

describe('the router itself', () => {
  const own = { inInterface: 'eth0', outInterface: '' };
  const routerRule = rule('OWN', { protocol: 'smtp', routerTraffic: true });

  test('router-traffic holds whatever the interface', () => {
    const rules = configuration([], [MAIL, routerRule]);
    expect(ruleOf(rules, 'smtp', own)).toBe('OWN');
    expect(ruleOf(rules, 'smtp', { inInterface: '', outInterface: 'eth0' })).toBe('OWN');
    expect(ruleOf(rules, 'pop3', own)).toBeUndefined();
  });

  test('and never concerns what is forwarded', () => {
    expect(ruleOf(configuration([], [routerRule]), 'smtp', through)).toBeUndefined();
  });

  test('an interface goes before it', () => {
    const rules = configuration([{ name: 'eth0', inspectIn: 'MAIL' }], [MAIL, routerRule]);
    expect(ruleOf(rules, 'smtp', own)).toBe('MAIL');
  });

  test('an interface without a name matches no nameless end', () => {
    expect(ruleOf(configuration([{ name: '', inspectOut: 'MAIL' }]), 'smtp', through)).toBeUndefined();
  });
});

describe('what a rule covers', () => {
  const bound = (...protocols: InspectionRule['protocols']) =>
    configuration([{ name: 'any', inspectIn: 'R' }], [rule('R', ...protocols)]);

  test('esmtp covers the SMTP ports, with the options of its line', () => {
    const selection = selectInspection(bound({ protocol: 'esmtp', maxDataBytes: 4_096, timeoutSeconds: 60 }), 'smtp', {
      ...through,
    });
    expect(selection?.inspection).toMatchObject({ protocol: 'esmtp', maxDataBytes: 4_096, timeoutSeconds: 60 });
  });

  test('a clear protocol does not cover its TLS ports, and the other way round', () => {
    expect(ruleOf(bound({ protocol: 'esmtp' }), 'smtps', through)).toBeUndefined();
    expect(ruleOf(bound({ protocol: 'imap' }), 'imaps', through)).toBeUndefined();
    expect(ruleOf(bound({ protocol: 'pop3s' }), 'pop3', through)).toBeUndefined();
    expect(ruleOf(bound({ protocol: 'pop3s' }), 'pop3s', through)).toBe('R');
  });

  test('the line of a mail protocol goes before the generic one, which takes what has no other', () => {
    const rules = bound({ protocol: 'tcp', timeoutSeconds: 9 }, { protocol: 'pop3', timeoutSeconds: 60 });
    const as = (protocol: PortProtocol) => {
      const selection = selectInspection(rules, protocol, through);
      return [selection?.protocol, selection?.inspection.timeoutSeconds];
    };
    expect(as('pop3')).toEqual(['pop3', 60]);
    for (const other of ['smtp', 'imap', 'pop3s', 'tcp'] as const) expect(as(other)).toEqual(['tcp', 9]);
    expect(as('udp')).toEqual([undefined, undefined]);
    expect(as('icmp')).toEqual([undefined, undefined]);
  });

  test('udp and icmp are transports of their own', () => {
    const rules = bound({ protocol: 'udp' }, { protocol: 'icmp' });
    expect(selectInspection(rules, 'udp', through)).toMatchObject({
      protocol: 'udp',
      inspection: { timeoutSeconds: 30 },
    });
    expect(selectInspection(rules, 'icmp', through)?.inspection.timeoutSeconds).toBe(10);
    expect(ruleOf(rules, 'tcp', through)).toBeUndefined();
    expect(ruleOf(rules, 'smtp', through)).toBeUndefined();
  });

  test('a rule nearer by goes before one with the better line', () => {
    const rules = configuration(
      [
        { name: 'eth0', inspectIn: 'G' },
        { name: 'any', inspectIn: 'MAIL' },
      ],
      [rule('G', { protocol: 'tcp' }), MAIL],
    );
    expect(selectInspection(rules, 'smtp', through)).toMatchObject({ rule: 'G', protocol: 'tcp' });
  });

  test('defaults fill what the line does not say', () => {
    const selection = selectInspection(bound({ protocol: 'pop3', secureLogin: true }), 'pop3', through);
    expect(selection?.inspection).toMatchObject({
      secureLogin: true,
      reset: false,
      alert: true,
      timeoutSeconds: 3_600,
    });
  });
});
