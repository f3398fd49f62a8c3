import type { CatalogueEntry } from './messages.ts';

/** What follows every text (D-50): the names by which a reader finds session and configuration again. */
const TAIL =
  ' - {action} session {initiator} {responder} on zone-pair {zonePair} class {class} appl-class {applClass}' as const;

/** Matches of SMTP application classes (cisco-ios 4.2, D-50), the last three ours in the same shape. */
export const APPLICATION_MESSAGES = {
  SMTP_SENDER_ADDR_MATCHED: entry(
    `Sender address ({matched}) matched${TAIL}`,
    'A pattern of match sender address matched the argument of MAIL FROM.',
  ),
  SMTP_RECIPIENT_ADDR_MATCHED: entry(
    `Recipient address ({matched}) matched${TAIL}`,
    'A pattern of match recipient address matched the argument of RCPT TO, or a host of its source route.',
  ),
  SMTP_RECIPIENT_COUNT: entry(
    `Recipient count over the limit ({matched})${TAIL}`,
    'More recipients than match recipient count allows: of the connection, or of a message with postern recipient-count message.',
  ),
  SMTP_RECIPIENT_INVALID_COUNT: entry(
    `Invalid recipient count over the limit ({matched})${TAIL}`,
    'The server refused more recipients for good than match recipient invalid count allows. Temporary refusals do not count.',
  ),
  SMTP_CMD_VERB: entry(`Command verb ({text}) matched${TAIL}`, 'match cmd verb: the client sent this command.'),
  SMTP_CMD_LINE_LENGTH: entry(
    `Command line length over the limit ({text})${TAIL}`,
    'match cmd line length: the line is longer, counted without its end.',
  ),
  SMTP_HEADER_LENGTH: entry(
    `Header length over the limit ({matched})${TAIL}`,
    'match header length: the header of the message grew past it.',
  ),
  SMTP_HEADER_REGEX_MATCHED: entry(
    `Header field ({matched}) matched${TAIL}`,
    'A pattern of match header matched this field of the message. Its value is not quoted.',
  ),
  SMTP_BODY_REGEX_MATCHED: entry(
    `Body text matched ({matched})${TAIL}`,
    'A pattern of match body matched the text of the message. The text is never quoted.',
  ),
  SMTP_MIME_CONTENT_TYPE: entry(
    `Content type ({matched}) matched${TAIL}`,
    'match mime content-type: the message or one of its parts is of this type.',
  ),
  SMTP_MIME_ENCODING: entry(
    `Transfer encoding ({matched}) matched${TAIL}`,
    'match mime encoding: a part of the message has this encoding.',
  ),
  SMTP_EHLO_REPLY: entry(`EHLO keyword ({matched}) matched${TAIL}`, 'match reply ehlo: the server offers this.'),
  SMTP_STARTTLS: entry(
    `STARTTLS is not offered ({matched})${TAIL}`,
    'match starttls: the answer to EHLO ended without STARTTLS (missing), or without it although this server offered it before, or with a word that was overwritten in its place (stripped); or the server answered STARTTLS with a refusal (refused).',
  ),
  SMTP_DATA_LENGTH: entry(
    `Data length over the limit ({matched})${TAIL}`,
    'match data-length: the message grew past it.',
  ),
  SMTP_SENDER_LEARNED: entry(
    `Learned sender ({matched}) matched${TAIL}`,
    'match sender learned: the action learn recorded this sender, or its domain, before. See show postern learned.',
  ),
  SMTP_CLIENT_LEARNED: entry(
    `Learned client ({matched}) matched${TAIL}`,
    'match client learned: mail from this client made the action learn record its sender before.',
  ),
  SMTP_CONNECTION: entry(
    `Connection matched${TAIL}`,
    'match protocol smtp in an SMTP class: true of every connection.',
  ),
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

interface ApplicationEntry<Text extends string> extends CatalogueEntry {
  readonly text: Text;
}

function entry<Text extends string>(text: Text, meaning: string): ApplicationEntry<Text> {
  return { facility: 'APPFW', severity: 4, text, limited: true, meaning };
}
