/**
 * What the shell and the daemon say to each other: HTTP on the unix control socket.
 *
 * - `POST /exec` with an ExecRequest as JSON: answers an ExecReply with status 200, or 400 and an ExecReply with
 *   `error`.
 * - `GET /metrics`: Prometheus text. `GET /debug?command=…`: a text stream, one line an event, until the client
 *   leaves.
 */
export interface ExecRequest {
  /** One exec command as typed, abbreviations allowed: `sh ip insp sess`. */
  readonly command: string;
  /** Answer the documented structure instead of IOS's text. */
  readonly json?: boolean;
}

export interface ExecReply {
  /** Text for the terminal, lines ended by LF; with `json`, the structure as JSON text. */
  readonly output?: string;
  /** IOS's `% …` lines. */
  readonly error?: string;
}

export const CONTROL_SOCKET_DEFAULT = '/run/postern/control.sock';
/** A request body larger than this is refused with 413. */
export const CONTROL_REQUEST_BYTES_MAX = 65_536;

/**
 * `POST /configure`: lines as typed behind `configure terminal`, in order; all take effect or none. Answers as `/exec`
 * does.
 */
export interface ConfigureRequest {
  readonly lines: readonly string[];
}

/** `GET /health`: 200 when packets are being judged, 503 when not. */
export interface Health {
  readonly ready: boolean;
  readonly detail: string;
}
