import type { Guard } from './guard.ts';
import { HOUSE } from './house.ts';
import { IMAP } from './imap.ts';
import { KERNEL } from './kernel.ts';
import { LOG } from './log.ts';
import { NATIVE_CONTENT } from './native-content.ts';
import { NATIVE_DATAGRAM } from './native-datagram.ts';
import { NATIVE_GATE } from './native-gate.ts';
import { NATIVE_SETTLE } from './native-settle.ts';
import { NATIVE_STREAM } from './native-stream.ts';
import { NATIVE_TCP } from './native-tcp.ts';
import { NATIVE_TLS } from './native-tls.ts';
import { POLICY } from './policy.ts';
import { POP3_AND_SHARED } from './pop3.ts';
import { SMTP } from './smtp.ts';
import { SMTP_REPLIES } from './smtp-replies.ts';
import { TLS } from './tls.ts';

/** Every guard that the mutation check takes out, in the order in which it does. */
export const GUARDS: readonly Guard[] = [
  ...SMTP,
  ...SMTP_REPLIES,
  ...POP3_AND_SHARED,
  ...IMAP,
  ...TLS,
  ...POLICY,
  ...KERNEL,
  ...HOUSE,
  ...LOG,
  ...NATIVE_TCP,
  ...NATIVE_STREAM,
  ...NATIVE_SETTLE,
  ...NATIVE_GATE,
  ...NATIVE_TLS,
  ...NATIVE_DATAGRAM,
  ...NATIVE_CONTENT,
];
