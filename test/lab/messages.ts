/** Messages for the lab, with what tends to break in transit: dots at line starts, long lines, 8-bit bytes, no final CRLF. */

const header = (subject: string) => [
  'From: Sender <a@example.org>',
  'To: <u@example.com>',
  `Subject: ${subject}`,
  'Date: Mon, 02 Nov 2026 10:00:00 +0000',
  `Message-ID: <${subject.replaceAll(/\W+/g, '-')}@client.lab.example>`,
];

export function plainMessage(subject: string): string {
  return [...header(subject), '', 'Hello,', '.leading dot', '..two dots', '.', 'after a lone dot', 'Bye', ''].join(
    '\r\n',
  );
}

/** `lines` lines of 76 characters, every tenth beginning with a dot. */
export function longMessage(subject: string, lines: number): string {
  const body = Array.from({ length: lines }, (_, index) => {
    const text = `line ${index} `.padEnd(76, String.fromCharCode(97 + (index % 26)));
    return index % 10 === 0 ? `.${text.slice(1)}` : text;
  });
  return [...header(subject), '', ...body, ''].join('\r\n');
}

export function mimeMessage(subject: string): string {
  const attachment = Buffer.from(Array.from({ length: 600 }, (_, index) => index % 256)).toString('base64');
  return [
    ...header(subject),
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="=-lab"',
    '',
    '--=-lab',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'Gr\xc3\xbc\xc3\x9fe',
    '--=-lab',
    'Content-Type: application/octet-stream; name="b.bin"',
    'Content-Transfer-Encoding: base64',
    '',
    ...(attachment.match(/.{1,76}/g) ?? []),
    '--=-lab--',
    '',
  ].join('\r\n');
}

/**
 * Whether one of the stored messages is the one sent: servers store LF and put trace lines in front of the header, and
 * some clients end a message with one more empty line.
 */
export function arrivedUnchanged(stored: readonly string[], sent: string): boolean {
  const expected = sent.replaceAll('\r\n', '\n');
  return stored.some((text) => text.endsWith(expected) || text.endsWith(`${expected}\n`));
}
