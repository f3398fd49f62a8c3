/** Capacities of the control socket, with their units. */

export const CONTROL_CONNECTIONS_MAX = 64;
/** Debug streams at a time; each holds a connection. */
export const CONTROL_STREAMS_MAX = 8;
/** What a debug reader may leave unread before it misses lines. */
export const CONTROL_STREAM_BYTES_MAX = 4_194_304;
export const CONTROL_HEADER_BYTES_MAX = 8_192;
/** From the first byte of a request to its last. */
export const CONTROL_REQUEST_MS = 5_000;
export const CONTROL_IDLE_MS = 5_000;
/** A command that takes longer is answered with an error; it may still come to its end. */
export const CONTROL_HANDLER_MS = 30_000;
export const CONFIGURE_LINES_MAX = 4_096;
/** Label values that come from the wire (masked words): the rest is counted as `other`. */
export const METRIC_LABEL_VALUES_MAX = 64;
/** Classes of zone policies, and of application policies, that have a series of their own: the rest is `other`. */
export const METRIC_CLASSES_MAX = 512;
