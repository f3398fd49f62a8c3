import type { Endpoint } from '../firewall/snapshot.ts';
import type { Reason } from '../inspect/reasons.ts';
import type { MESSAGES, MessageId } from './messages.ts';

/** What a message may carry beside the fields of its text, for the structured log. */
export interface LogContext {
  readonly initiator?: Endpoint;
  readonly responder?: Endpoint;
  readonly protocol?: string;
  readonly reason?: Reason;
  /** As `show` prints it. */
  readonly session?: string;
  readonly rule?: string;
  /** With `zonePair`: IOS's `(target:class)-(ZONEPAIR:CLASS):` stands before the text. */
  readonly class?: string;
  readonly zonePair?: string;
  /** Of a match of an application class: its policy, its name, and what came of it (`action`). */
  readonly policy?: string;
  readonly applClass?: string;
  readonly action?: string;
}

/** The names in braces of a message's text. */
type FieldName<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | FieldName<Rest>
  : never;

type FieldValue<Name extends string> = Name extends 'initiator' | 'responder'
  ? Endpoint
  : Name extends 'reason'
    ? Reason
    : string | number;

/** Filled in by the formatter from other fields, so never asked of a caller. */
type DerivedField = 'reasonText' | 'minutesWord' | 'place' | 'tcpDetail' | 'dropReason' | 'shadowDetail';

export type MessageFields<Id extends MessageId> = {
  readonly [Name in Exclude<FieldName<(typeof MESSAGES)[Id]['text']>, DerivedField>]: FieldValue<Name>;
} & LogContext &
  (Id extends 'DROP_PKT' ? DropDetail : unknown);

/** What else a dropped packet's line tells (cisco-ios 4.1, DROP_PKT). */
export interface DropDetail {
  readonly reason: Reason;
  readonly tcpFlags?: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
}

/** One thing to log, as plain data: workers post it to the main thread. */
export type LogMessage = {
  readonly [Id in MessageId]: { readonly id: Id; readonly fields: MessageFields<Id> };
}[MessageId];

/** What the engine and the daemon write to. `log` never throws and never waits. */
export interface Logger {
  log(message: LogMessage): void;
  /** Writes the summaries that are due; call it about once a second. */
  tick(): void;
  /** Writes every summary that is left; the destination stays open. */
  close(): void;
}
