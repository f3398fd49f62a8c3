/** Help for options of protocol lines and parameter-maps that are ours: how lines end, and what TLS has to precede. */
export const LINE_HELP: Readonly<Record<string, string>> = {
  'line-endings': 'What is made of lines that do not end in CRLF',
  strict: 'Refuse a bare LF, a bare CR or a NUL in commands and replies, and look-alikes of the end of a message',
  normalize: 'A bare LF ends a line; refuse look-alikes of the end of a message (the default)',
  tolerant: 'As normalize, but overwrite an octet of a look-alike instead of refusing the message',
  'require-tls': 'What may not come before STARTTLS or STLS',
  tls: 'What is asked of TLS',
  'minimum-version': 'The lowest version that a client may offer at most, and a server choose',
  auth: 'No AUTH of SMTP',
  mail: 'Neither AUTH nor MAIL of SMTP',
  login: 'No login of POP3 or IMAP',
};
