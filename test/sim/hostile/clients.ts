import type { Random } from '../random.ts';
import { imapSteps, pop3Steps } from './mailbox-clients.ts';
import type { MailProtocol } from './reader.ts';
import { smtpSteps } from './smtp-client.ts';
import {
  handshake,
  lines,
  matches,
  nothing,
  oddlyEnded,
  replies,
  type Script,
  type ServerFault,
  type Step,
} from './steps.ts';

const GREETINGS = { smtp: replies(1), pop3: matches(/^\+OK[^\n]*\n/), imap: matches(/^\* (?:OK|PREAUTH)[^\n]*\n/) };
const LARGE_BYTES_MAX = 65_000;

/** What both ends of one connection say. */
export function scriptOf(random: Random): Script {
  const protocol = random.pick(['smtp', 'smtp', 'smtp', 'pop3', 'imap'] as const);
  if (random.chance(8)) return onTlsPort(random, protocol);
  const rejectsData = protocol === 'smtp' && random.chance(8);
  const isLarge = protocol === 'smtp' && random.chance(3);
  const largeBytes = isLarge ? random.below(LARGE_BYTES_MAX) : 0;
  const made =
    protocol === 'smtp' ? smtpSteps(random, largeBytes) : { pop3: pop3Steps, imap: imapSteps }[protocol](random);
  const odd = random.chance(8) ? random.below(made.length) : -1;
  const steps = made.map((step, index) => (index === odd ? oddlyEnded(random, step) : step));
  const serverFault = faultOf(random, protocol);
  return {
    ...{ protocol, rejectsData, serverFault, implicitTls: false, isLarge },
    steps: [{ send: '', until: GREETINGS[protocol] }, ...steps],
  };
}

function faultOf(random: Random, protocol: MailProtocol): ServerFault {
  if (protocol === 'imap' && random.chance(10)) return 'greetsAuthenticated';
  return random.chance(8) ? random.pick(['twoAnswers', 'answerBeforeCommand'] as const) : 'none';
}

/** On the ports of smtps, pop3s and imaps; some speak in clear there. */
function onTlsPort(random: Random, protocol: MailProtocol): Script {
  const plain: Step = {
    send: lines('EHLO c.example', 'MAIL FROM:<a@b.example>'),
    until: nothing,
    what: 'plaintext on a TLS port',
  };
  const web: Step = {
    send: lines('GET / HTTP/1.1', 'Host: mx.example', ''),
    until: nothing,
    what: 'HTTP on a TLS port',
  };
  const steps = random.chance(60) ? handshake(random) : [random.pick([plain, web] as const)];
  const serverFault = random.chance(20) ? 'plainOnTlsPort' : 'none';
  return {
    ...{ protocol, rejectsData: false, serverFault, implicitTls: true, isLarge: false },
    steps: [{ send: '', until: nothing }, ...steps],
  };
}
