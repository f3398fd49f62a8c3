import { describe, expect, test } from 'vitest';
import { CONFIGURATION_LINE_CHARACTERS_MAX, CONFIGURATION_MESSAGES_MAX } from '../limits.ts';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { applyLines, formatDiagnostic, parseConfiguration } from './parse-configuration.ts';
import { printConfiguration } from './print-configuration.ts';

function parse(...lines: readonly string[]) {
  return parseConfiguration(lines.join('\n'), 'f');
}

function messages(...lines: readonly string[]): readonly string[] {
  return parse(...lines).errors.map((error) => `${error.line}:${error.column} ${error.message}`);
}

describe('a whole router configuration', () => {
  const router = [
    'Building configuration...',
    'Current configuration : 3000 bytes',
    'version 15.1',
    'service timestamps log datetime msec',
    'hostname Edge',
    'banner motd ^C',
    'ip inspect name BANNER smtp',
    '^C',
    'aaa new-model',
    'class-map match-any QOS',
    ' match protocol http',
    'policy-map SHAPE',
    ' class QOS',
    '  bandwidth 100',
    'crypto pki certificate chain TP',
    ' certificate self-signed 01',
    '  3082 0244',
    '  \tquit',
    'ip inspect name MAIL pop3',
    'interface GigabitEthernet0/0',
    ' ip address 192.0.2.1 255.255.255.0',
    ' duplex auto',
    ' service-policy output SHAPE',
    ' ip inspect MAIL in',
    '!',
    'router ospf 1',
    ' network 10.0.0.0 0.0.0.255 area 0',
    'ip route 0.0.0.0 0.0.0.0 192.0.2.254',
    'ip access-list extended OUT',
    ' permit tcp any any established',
    'access-list 700 permit 0000.0000.0001',
    'snmp-server community x RO',
    'line vty 0 4',
    ' login local',
    'end',
  ];

  test('loads, and one notice tells what was left out', () => {
    const { configuration, errors, notices } = parse(...router);
    expect(errors).toEqual([]);
    expect(notices.map((notice) => notice.message)).toEqual([
      '% notice: 25 lines outside the firewall skipped, the first is line 1',
    ]);
    expect(configuration.hostname).toBe('Edge');
    expect(configuration.rules.map((rule) => rule.name)).toEqual(['MAIL']);
    expect(configuration.interfaces).toEqual([{ name: 'GigabitEthernet0/0', inspectIn: 'MAIL' }]);
    expect(configuration.classMaps).toEqual([]);
  });

  test('a firewall line is never skipped, however it is misspelt', () => {
    for (const line of [
      'ip inspect nonsense',
      'ip inpsect name X smtp',
      'ip inspect name X smpt',
      'no ip inspect nonsense',
      'class-map type inspect http match-any X',
      'class-map type inpsect match-any X',
      'class-map tpye inspect match-any X',
      'policy-map type inspect',
      'parameter-map type urlfilter X',
      'parameter-map type regexx X',
      'parameter-mpa type regex X',
      'postern offload maybe',
      'postren offload on',
      'ip port-map smtp port tcp 0',
      'acess-list 10 permit any',
      'access-list 10 permit 1.2.3',
      'ip acces-list extended X',
      'zone-member security X',
      'intreface eth0',
      'pi inspect name X smtp',
      'ipv6 inspect name X tcp',
      'ip\u00a0inspect name X smtp',
      '\u000bip inspect name X smtp',
      'ip inspect name X\u001b[2J smtp',
      '# comment',
    ]) {
      expect(messages(line), line).toHaveLength(1);
    }
  });

  test('a byte order mark does not hide the first line', () => {
    expect(parse('\uFEFFip inspect name X smtp').configuration.rules).toHaveLength(1);
  });

  test('an interface without its type is the one that ends so', () => {
    const names = (...lines: readonly string[]) => parse(...lines).configuration.interfaces.map((entry) => entry.name);
    expect(names('interface Serial1/0', 'interface 1/0')).toEqual(['Serial1/0']);
    expect(names('interface Serial11/0', 'interface 1/0')).toEqual(['Serial11/0', '1/0']);
    expect(messages('interface Serial1/0', 'interface Ethernet1/0', 'interface 1/0')[0]).toContain('may be any of');
  });

  test('lines that only resemble ours are skipped', () => {
    for (const line of [
      'ip route 1.2.3.4 255.255.255.255 eth0',
      'ipv6 unicast-routing',
      'line con 0',
      'ip http server',
    ]) {
      expect(messages(line), line).toEqual([]);
    }
  });

  test('a misspelt line in a firewall section is an error, in an interface only when it could be ours', () => {
    expect(messages('class-map type inspect smtp a', ' mtach cmd verb EHLO')).toEqual([
      "2:2 % Invalid input detected at '^' marker.",
    ]);
    expect(messages('interface eth0', ' ip inspetc X in')).toHaveLength(1);
    const policy = ['class-map type inspect smtp C', 'policy-map type inspect smtp P', 'class type inspect smtp C'];
    for (const line of ['rest', 'learn sender for 0', 'no rset', 'no leran', 'Mask x']) {
      expect(messages(...policy, line), line).toHaveLength(1);
    }
    for (const line of ['router ospf 1', 'line vty 0 4', 'no ip http server', 'ntp server 192.0.2.1', 'logging on']) {
      expect(messages(...policy, line), line).toEqual([]);
    }
    expect(messages('interface eth0', ' mtu 1400')).toEqual([]);
  });

  test('sub-lines of a foreign section do not reach the section before it', () => {
    const { configuration } = parse('interface eth0', 'router ospf 1', ' description not of eth0');
    expect(configuration.interfaces).toEqual([{ name: 'eth0' }]);
    expect(messages('ip inspect name A smtp', 'template T', ' ip inspect A in')).toEqual([
      '3:2 % a firewall line in a section that Postern does not know',
    ]);
  });

  test('a banner that never ends is an error, not a way to hide a policy', () => {
    expect(messages('banner motd #', 'ip inspect name A smtp')).toEqual(['2:1 % A banner is not closed']);
    expect(messages('banner motd # one line #', 'ip inspect nonsense')).toHaveLength(1);
  });
});

describe('lines', () => {
  test('every error is told at its place with the line and a caret', () => {
    const { errors } = parse(
      'ip inspect name A smtp',
      'ip inspect max-incomplete high many',
      'ip inspect name A pop3 rest',
    );
    expect(errors.map((error) => formatDiagnostic(error, true))).toEqual([
      "f:2:32: % Invalid input detected at '^' marker.\nip inspect max-incomplete high many\n                               ^",
      "f:3:24: % Invalid input detected at '^' marker.\nip inspect name A pop3 rest\n                       ^ did you mean reset?",
    ]);
  });

  test('sub-modes go by position, with and without indentation', () => {
    const text = [
      'ip inspect name A smtp',
      'interface eth0',
      'ip inspect A in',
      'ip inspect name A pop3',
      'interface eth1',
    ];
    expect(parse(...text).configuration.interfaces).toEqual([{ name: 'eth0', inspectIn: 'A' }, { name: 'eth1' }]);
    expect(parse(...text).configuration.rules[0]?.protocols).toHaveLength(2);
  });

  test('a rule that an interface names must be there in the end, in whatever order', () => {
    expect(messages('interface eth0', ' ip inspect LATER in', 'ip inspect name LATER imap')).toEqual([]);
    expect(messages('interface eth0', ' ip inspect NEVER in')).toEqual(['2:13 % inspection rule NEVER is not defined']);
  });

  test('no forms take back what was said', () => {
    const text = [
      ...[
        'ip inspect audit-trail',
        'no ip inspect audit-trail',
        'ip inspect tcp idle-time 60',
        'no ip inspect tcp idle-time',
      ],
      ...['ip inspect tcp reassembly timeout 9 queue length 3', 'no ip inspect tcp reassembly timeout'],
      ...['interface eth0', ' ip inspect A in', ' no ip inspect A in', 'no interface eth0'],
      ...[
        'ip port-map smtp port tcp 2525',
        'no ip port-map smtp port tcp 2525',
        'postern fail open',
        'no postern fail',
      ],
    ];
    expect(messages(...text)).toEqual([]);
    expect(parse(...text).configuration).toEqual({ ...EMPTY_CONFIGURATION, inspect: { reassemblyQueueLength: 3 } });
    const cleared = parse(
      'ip inspect name A smtp',
      'ip inspect alert-off',
      'interface e',
      ' ip inspect A out',
      'no ip inspect',
    );
    expect(cleared.configuration).toEqual({ ...EMPTY_CONFIGURATION, interfaces: [{ name: 'e' }] });
  });

  test('system ports stay', () => {
    expect(messages('no ip port-map smtp port tcp 25')).toEqual(['1:30 % A system entry cannot be removed']);
    expect(messages('ip port-map pop3 port tcp 25')[0]).toContain('system entry of smtp');
    expect(messages('ip port-map smtp port tcp from 2000 to 1000')[0]).toContain('above the last');
    expect(messages('ip port-map imap port tcp from 2000 to 2010')).toEqual([]);
  });

  test('rule names are cut at 16 characters wherever they stand', () => {
    const { configuration, notices } = parse(
      'ip inspect name ABCDEFGHIJKLMNOPQ smtp',
      'interface e',
      ' ip inspect ABCDEFGHIJKLMNOPQ in',
    );
    expect(configuration.rules[0]?.name).toBe('ABCDEFGHIJKLMNOP');
    expect(configuration.interfaces[0]?.inspectIn).toBe('ABCDEFGHIJKLMNOP');
    expect(notices).toHaveLength(2);
  });

  test('vrf is ignored with a warning, unusual timeouts are told', () => {
    const { configuration, notices } = parse('ip inspect tcp idle-time 60 vrf RED', 'ip inspect name A smtp timeout 4');
    expect(configuration.inspect.tcpIdleTimeSeconds).toBe(60);
    expect(notices.map((notice) => notice.message)).toEqual([
      '% notice: vrf is ignored, the line holds for every session',
      '% notice: IOS takes a timeout of 5 to 43200 seconds',
    ]);
  });

  test('what is enforced is not told, what is not is told once', () => {
    const told = (...lines: readonly string[]) => parse(...lines).notices.map((notice) => notice.message);
    const enforced = [
      ...['ip inspect dns-timeout 7', 'ip inspect udp idle-time 31', 'ip inspect tcp block-non-session'],
      ...['ip inspect tcp reassembly alarm on', 'ip inspect name A tcp router-traffic', 'ip inspect name A udp'],
      ...['ip inspect name A icmp', 'ip inspect name A parameter max-sessions 100'],
    ];
    expect(told(...enforced)).toEqual([]);
    expect(told('ip inspect hashtable-size 4096', 'ip inspect hashtable-size 8192')).toEqual([
      '% notice: hashtable-size changes nothing: the session table has its full size from the start',
    ]);
    expect(told('ip inspect name A ftp', 'ip inspect name A http')).toEqual([
      '% notice: inspection of protocols other than mail, tcp, udp and icmp is accepted, not enforced by this version',
    ]);
  });

  test('resets that are switched off, and limits of our own, are kept, printed and taken back', () => {
    const lines = [
      'postern syn-proxy aggressive',
      'ip inspect sessions maximum 1000',
      'ip inspect icmp idle-time 20',
      'ip inspect tcp half-open reset off',
      'ip inspect tcp half-close reset off',
      'ip inspect tcp idle reset off',
    ];
    const { configuration, notices } = parse(...lines, 'ip inspect tcp idle-time 60');
    expect(notices).toEqual([]);
    expect(configuration.postern).toEqual({ synProxy: 'aggressive' });
    expect(configuration.inspect).toEqual({
      ...{ sessionsMaximum: 1_000, icmpIdleTimeSeconds: 20, tcpIdleTimeSeconds: 60 },
      ...{ tcpHalfOpenResetOff: true, tcpHalfCloseResetOff: true, tcpIdleResetOff: true },
    });
    const printed = printConfiguration(configuration).split('\n');
    for (const line of lines) expect(printed).toContain(line);
    const undone = parse(...lines, 'ip inspect tcp idle-t 60', ...lines.map((line) => `no ${line}`));
    expect(undone.errors).toEqual([]);
    expect([undone.configuration.inspect, undone.configuration.postern]).toEqual([{ tcpIdleTimeSeconds: 60 }, {}]);
  });

  test('thresholds drag each other from both sides and from unlimited', () => {
    const drag = (...lines: readonly string[]) => parse(...lines).notices.map((notice) => notice.message);
    expect(drag('postern compat defaults modern', 'ip inspect max-incomplete high 400')[0]).toBe(
      '%Also resetting low threshold from [unlimited] to [400]',
    );
    expect(drag('ip inspect one-minute low 450', 'ip inspect tcp max-incomplete host 9 block-time 1')).toEqual([]);
    const back = parse(
      'postern compat defaults modern',
      'ip inspect max-incomplete high 400',
      'no ip inspect max-incomplete low',
    );
    expect(back.configuration.inspect).toEqual({});
  });

  test('a map in use stays, one that is not goes', () => {
    const maps = [
      'class-map type inspect smtp match-any a',
      'match cmd verb EHLO',
      'policy-map type inspect smtp p',
      'class type inspect smtp a',
      'mask',
    ];
    expect(messages(...maps, 'no class-map type inspect smtp a')[0]).toContain('in use by policy-map p');
    expect(messages(...maps, 'no policy-map type inspect smtp p', 'no class-map type inspect smtp a')).toEqual([]);
    expect(messages(...maps, 'class-map type inspect smtp a', 'match header length gt 5')[0]).toContain(
      "action 'mask' requires",
    );
    expect(messages(...maps, 'class-map type inspect smtp a', 'match reply ehlo ETRN')).toEqual([]);
  });

  test('long lines and endless errors end', () => {
    expect(messages(`ip inspect name ${'x'.repeat(CONFIGURATION_LINE_CHARACTERS_MAX)}`)[0]).toContain('at most');
    const many = Array.from({ length: CONFIGURATION_MESSAGES_MAX * 3 }, () => 'ip inspect nonsense');
    expect(parse(...many).errors).toHaveLength(CONFIGURATION_MESSAGES_MAX + 1);
  });
});

describe('access lists', () => {
  test('are read and saved in one spelling', () => {
    const text = [
      'access-list 110 remark who may send',
      'access-list 110 permit tcp 192.0.2.77 0.0.0.255 host 198.51.100.25 eq 25 established log',
      'access-list 10 permit 192.0.2.1',
      'ip access-list extended OUT',
      ' 20 permit udp any range 1000 2000 any eq domain',
      ' 10 deny ip any any',
      ' permit icmp any any echo-reply',
    ];
    expect(messages(...text)).toEqual([]);
    expect(printConfiguration(parse(...text).configuration).split('\n')).toEqual([
      '!',
      'access-list 110 remark who may send',
      'access-list 110 permit tcp 192.0.2.0 0.0.0.255 host 198.51.100.25 eq smtp established log',
      'access-list 10 permit host 192.0.2.1',
      'ip access-list extended OUT',
      ' 10 deny ip any any',
      ' 20 permit udp any range 1000 2000 any eq domain',
      ' permit icmp any any echo-reply',
      '!',
      'end',
      '',
    ]);
  });

  test('numbers and kinds must fit', () => {
    expect(messages('access-list 110 permit 192.0.2.1')).toHaveLength(1);
    expect(messages('access-list 10 permit tcp any any')).toHaveLength(1);
    expect(messages('ip access-list standard 110')).toHaveLength(1);
    expect(messages('ip access-list extended A', ' 10 permit ip any any', ' 10 deny ip any any')[0]).toContain(
      'Duplicate',
    );
    expect(messages('access-list 110 permit udp any any eq smtp')).toHaveLength(1);
    expect(messages('access-list 110 permit ip any any eq 25')).toHaveLength(1);
  });
});

describe('lines from the prompt', () => {
  test('are added to what runs, which stays as it was', () => {
    const running = parse('ip inspect name A smtp').configuration;
    const taken = applyLines(running, ['ip inspect name B imap', 'interface eth0', 'ip inspect B in']);
    expect(taken.errors).toEqual([]);
    expect(taken.configuration.interfaces).toEqual([{ name: 'eth0', inspectIn: 'B' }]);
    expect(taken.configuration.rules.map((rule) => rule.name)).toEqual(['A', 'B']);
    expect(running.rules).toHaveLength(1);
  });

  test('of a router are refused where a file would skip them', () => {
    const { errors } = applyLines(parse().configuration, ['ip inspect name B imap', 'router ospf 1']);
    expect(errors.map((error) => formatDiagnostic(error, false))).toEqual([
      "terminal:2:1: % Invalid input detected at '^' marker.",
    ]);
  });

  test('a rule in use cannot be pulled away', () => {
    const running = parse('ip inspect name A smtp', 'interface e', ' ip inspect A in').configuration;
    expect(applyLines(running, ['no ip inspect name A']).errors[0]?.message).toContain('rule A is not defined');
    expect(applyLines(running, ['no ip inspect']).errors).toEqual([]);
  });
});
