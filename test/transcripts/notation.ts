import type { Alert } from '../../src/inspect/alerts.ts';
import type { Fact } from '../../src/inspect/facts.ts';
import type { Action, Frame, FrameMode, Side } from '../../src/inspect/inspector.ts';

const FRAME_TEXT_MAX = 48;
const WORDS_TEXT_MAX = 24;

export const letterOf = (side: Side): string => (side === 'initiator' ? 'C' : 'S');

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '\r': '\\r',
  '\n': '\\n',
  '\t': '\\t',
  '\0': '\\0',
  '\\': '\\\\',
};

/** Octets as one types them in a transcript. */
export function escapeOctets(octets: string): string {
  return Array.from(octets, (octet) => {
    if (octet >= ' ' && octet <= '~') return NAMED_ESCAPES[octet] ?? octet;
    return NAMED_ESCAPES[octet] ?? `\\x${octet.charCodeAt(0).toString(16).padStart(2, '0')}`;
  }).join('');
}

function shorten(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}...` : text;
}

/** What was judged, as the left half of a log line. */
export function describeFrame(frame: Frame): string {
  const who = `${letterOf(frame.from)}: `;
  switch (frame.kind) {
    case 'line':
    case 'partial':
      return who + (shorten(escapeOctets(frame.text), FRAME_TEXT_MAX).trimEnd() || '(empty line)');
    case 'countedEnd':
      return `${who}(counted run ends, ${frame.bytes} octets)`;
    case 'dataEnd':
      return `${who}(data ends, ${frame.bytes} octets)`;
    case 'endOfDataLookAlike':
      return `${who}(end-of-data look-alike)`;
    case 'tlsStart':
      return `${who}(${frame.alert === true ? 'TLS alert' : frame.wellFormed ? 'TLS hello' : 'no TLS hello'})`;
    case 'content':
      return `${who}(content${frame.finished ? ' finished' : ''} ${frame.facts.map((fact) => fact.kind).join(' ')})`;
    case 'overBudget':
      return `${who}(over budget ${frame.budgetBytes})`;
  }
}

/** What was answered, as the right half of a log line. */
export function describeActions(frame: Frame, actions: readonly Action[]): string {
  const masked = actions.some((action) => action.kind === 'mask');
  const parts = actions.filter((action) => !(masked && (action.kind === 'forward' || action.kind === 'mask')));
  const words = parts.map(describeAction);
  if (masked) words.unshift(describeMasks(frame, actions));
  return words.join(', ');
}

function describeMasks(frame: Frame, actions: readonly Action[]): string {
  const what = actions.flatMap((action) => (action.kind === 'mask' ? [action.what] : []));
  return `mask "${shorten(escapeOctets(applyMasks(frame, actions)), FRAME_TEXT_MAX)}" ${[...new Set(what)].join(' ')}`;
}

/** The frame's text as the receiver gets it when nothing of it went ahead. */
export function applyMasks(frame: Frame, actions: readonly Action[]): string {
  if (frame.kind !== 'line' && frame.kind !== 'partial' && frame.kind !== 'endOfDataLookAlike') return '';
  let text = frame.kind === 'endOfDataLookAlike' ? '.' : frame.text;
  for (const action of actions) {
    if (action.kind !== 'mask') continue;
    const end = Math.min(action.start + action.length, text.length);
    text = text.slice(0, action.start) + action.fill.repeat(Math.max(0, end - action.start)) + text.slice(end);
  }
  return text;
}

function describeAction(action: Action): string {
  switch (action.kind) {
    case 'forward':
      return 'forward';
    case 'mask':
      return 'mask';
    case 'refuse':
      return action.how === 'reset'
        ? `refuse ${action.reason} reset`
        : `refuse ${action.reason} words "${shorten(escapeOctets(action.words), WORDS_TEXT_MAX)}"`;
    case 'pause':
      return `pause ${letterOf(action.side)}`;
    case 'resume':
      return `resume ${letterOf(action.side)}`;
    case 'frameAs':
      return `frameAs ${letterOf(action.from)} ${describeMode(action.mode)}`;
    case 'stopInspecting':
      return `stop ${action.because}`;
    case 'inspectAgain':
      return 'inspect again';
    case 'content':
      return `content ${action.what}`;
    case 'classMatched':
      return `class ${action.hit.class} ${action.hit.event}${action.hit.shadow ? ' shadow' : ''} ${action.hit.verb}`;
    case 'learn':
      return `learn ${action.sender}`;
    case 'alert':
      return `alert ${describeAlert(action.alert)}`;
  }
}

/** A fact as a `facts` block shows it. */
export function describeFact(fact: Fact): string {
  switch (fact.kind) {
    case 'command':
      return `command ${escapeOctets(fact.verb ?? '...') || '(none)'} ${fact.lengthBytes}${fact.whole ? '' : ' so far'}`;
    case 'sender':
    case 'recipient': {
      const addresses = fact.addresses.map((address) => `<${escapeOctets(address)}>`).join(' ');
      return `${fact.kind} ${addresses}${fact.clear ? '' : ' unclear'}`;
    }
    case 'ehloKeyword':
      return `ehloKeyword ${escapeOctets(fact.keyword)}`;
    case 'dataBegins':
      return `dataBegins ${fact.form}`;
    case 'invalidCommand':
      return `invalidCommand "${escapeOctets(fact.text)}"`;
    case 'clearTextLogin':
      return `clearTextLogin "${escapeOctets(fact.text)}" ${fact.mechanism}`;
    case 'starttls':
      return `starttls ${fact.offer}`;
    case 'recipientRefused':
    case 'greeted':
    case 'messageBegins':
    case 'messageEnds':
    case 'dataEnds':
      return fact.kind;
  }
}

function describeMode(mode: FrameMode): string {
  switch (mode.kind) {
    case 'lines':
      return `lines ${mode.budgetBytes}${mode.tolerant === true ? ' tolerant' : ''}`;
    case 'counted':
      return `counted ${mode.bytes}`;
    case 'mailData':
      return `mailData ${mode.budgetBytes}${mode.tolerant === true ? ' tolerant' : ''}`;
    case 'tls':
      return mode.alerts === true ? 'tls alerts' : 'tls';
    case 'opaque':
      return mode.kind;
  }
}

function describeAlert(alert: Alert): string {
  switch (alert.id) {
    case 'SMTP_INVALID_COMMAND':
      return `${alert.id} "${escapeOctets(alert.text)}" ${alert.lengthBytes}`;
    case 'POP3_NON_SECURE_LOGIN':
    case 'IMAP_NON_SECURE_LOGIN':
      return `${alert.id} "${escapeOctets(alert.text)}" ${alert.mechanism}`;
    case 'SMTP_MAX_DATA':
      return `${alert.id} ${alert.maxDataBytes}`;
    case 'SMTP_SIGNATURE':
      return `${alert.id} ${alert.signature}`;
    case 'POP3_INVALID_COMMAND':
    case 'IMAP_INVALID_COMMAND':
      return `${alert.id} "${escapeOctets(alert.text)}"`;
    case 'TLS_VERSION':
      return `${alert.id} ${alert.version} ${alert.minimum}`;
    case 'FOREIGN_PROTOCOL':
      return `${alert.id} ${alert.spoken} ${letterOf(alert.by)}`;
    case 'SMTP_END_OF_DATA_OVERWRITTEN':
    case 'PROTOCOL_VIOLATION':
      return alert.id;
  }
}
