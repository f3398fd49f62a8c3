import { readdirSync, readFileSync } from 'node:fs';
import type { ProtocolInspection } from '../../src/policy/configuration.ts';
import { imap } from '../../src/protocols/imap/machine.ts';
import { pop3 } from '../../src/protocols/pop3/machine.ts';
import { smtp } from '../../src/protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import { parseTranscripts, type TranscriptCase } from '../transcripts/markdown.ts';
import { CLIENT_HELLO, SERVER_HELLO } from './hostile/tls.ts';
import { type PlainRun, runPlainly } from './plain-run.ts';

export const HOSTNAME = 'fw.example';

/** A transcript that a configuration can bring about, and what its plain run comes to. */
export interface SimCase {
  readonly name: string;
  readonly port: number;
  readonly inspection: ProtocolInspection;
  readonly never: TranscriptCase['never'];
  readonly plain: PlainRun;
}

type Protocol = 'smtp' | 'pop3' | 'imap';
const PORTS: Readonly<Record<Protocol, number>> = { smtp: 25, pop3: 110, imap: 143 };
/** What of a transcript's policy `ip inspect name` can say; a case with other overrides stays with the reference engine. */
const CONFIGURABLE: ReadonlySet<string> = new Set(['extended', 'maxDataBytes', 'reset', 'secureLogin']);

/** A burst goes without an acknowledgement of its beginning: it must fit into a window. */
const BURST_BYTES_MAX = 60_000;

export function loadCases(): readonly SimCase[] {
  return (['smtp', 'pop3', 'imap'] as const).flatMap((protocol) => {
    const folder = new URL(`../transcripts/${protocol}/`, import.meta.url);
    return readdirSync(folder)
      .filter((file) => file.endsWith('.md') && file !== 'README.md')
      .sort()
      .flatMap((file) => parseTranscripts(readFileSync(new URL(file, folder), 'utf8'), protocol))
      .filter(({ policy }) => Object.keys(policy).every((key) => CONFIGURABLE.has(key)))
      .map((transcript) => toCase(protocol, transcript))
      .filter(({ plain }) => plain.bursts.every(({ octets }) => octets.length <= BURST_BYTES_MAX));
  });
}

function toCase(protocol: Protocol, transcript: TranscriptCase): SimCase {
  const { policy, never, title } = transcript;
  const rows = transcript.rows.map(withWholeHello);
  return {
    name: `${protocol}: ${title}`,
    port: PORTS[protocol],
    inspection: inspectionFor(protocol, policy),
    never,
    plain: plainRun(protocol, policy, rows),
  };
}

/** Transcripts write the beginning of a hello only: the packet loop waits for all of it. */
function withWholeHello(row: TranscriptCase['rows'][number]): TranscriptCase['rows'][number] {
  const type = row.from === 'initiator' ? '\x01' : '\x02';
  const isHello = row.octets.startsWith('\x16\x03') && row.octets[5] === type && !row.octets.endsWith('\n');
  if (!isHello) return row;
  return { ...row, octets: row.from === 'initiator' ? CLIENT_HELLO : SERVER_HELLO };
}

function inspectionFor(protocol: Protocol, policy: TranscriptCase['policy']): ProtocolInspection {
  const name = protocol === 'smtp' && policy.extended !== false ? 'esmtp' : protocol;
  return {
    protocol: name,
    reset: policy.reset === true,
    secureLogin: policy.secureLogin === true,
    ...(typeof policy.maxDataBytes === 'number' ? { maxDataBytes: policy.maxDataBytes } : {}),
  };
}

function plainRun(protocol: Protocol, policy: TranscriptCase['policy'], rows: TranscriptCase['rows']): PlainRun {
  if (protocol === 'smtp') {
    return runPlainly(smtp, { ...defaultSmtpPolicy, hostname: HOSTNAME, ...policy }, rows);
  }
  const whole = { secureLogin: false, reset: false, hostname: HOSTNAME, ...policy };
  return protocol === 'pop3' ? runPlainly(pop3, whole, rows) : runPlainly(imap, whole, rows);
}
