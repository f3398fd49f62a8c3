/**
 * Ordinary mail in many shapes: headers, structures, transfer encodings and bodies as real programs write them, each
 * combined with the others. Deterministic; every message has its own Message-ID.
 */
export interface OrdinaryMessage {
  readonly id: string;
  readonly text: string;
}

const CRLF = '\r\n';
const BASE = ['From: Sender <a@example.org>', 'To: <u@example.com>', 'Date: Sun, 22 Nov 2026 10:00:00 +0000'];

/** Latin-1 text: an octet a character, so that UTF-8 stands in it as its octets. */
const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const HEADERS: readonly (readonly string[])[] = [
  ['Subject: Minutes of the meeting'],
  ['Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=', 'X-Mailer: Mutt 2.2'],
  ['Subject: =?utf-8?B?0J/RgNC40LLQtdGC?=', ' =?utf-8?B?INC80LjRgA==?=', 'X-Priority: 3'],
  ['Subject: A line that is folded', '\tin the way of old programs,', ' twice', 'Keywords: one, two'],
  ['Cc: "Doe, Jane" <j@example.net>, undisclosed-recipients:;', 'Subject:no blank', 'Reply-To: <r@example.org>'],
  [
    `References: ${Array.from({ length: 40 }, (_, index) => `<${index}.${'r'.repeat(40)}@example.org>`).join('\r\n ')}`,
    'Subject: Re: Re: long thread',
    'In-Reply-To: <39@example.org>',
  ],
  [
    'Received: from a.example (a.example [192.0.2.1])',
    '\tby b.example (Postfix) with ESMTPS id 4ABC; Sun, 22 Nov 2026 09:59:00 +0000 (UTC)',
    'Received: by a.example; Sun, 22 Nov 2026 09:58:00 +0000',
    'DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=x; h=from:to:subject;',
    ` bh=${'B'.repeat(43)}=; b=${'b'.repeat(60)}`,
    'Subject: signed by a domain',
  ],
  [`Subject: ${utf8('Ünïcode in the raw')}`, 'X-Empty:', 'X-Spam-Status: No, score=-1.9'],
  [
    'List-Id: A list <list.example.org>',
    'Precedence: list',
    'Auto-Submitted: auto-generated',
    'Subject: [list] digest',
  ],
  ['Subject: ', 'Importance: high', 'Thread-Index: AdVqN1dX', 'MIME-version: 1.0'],
];

const TEXTS: readonly string[] = [
  ['Good morning,', '', 'see you at ten.', '', '-- ', 'Jane', ''].join(CRLF),
  ['.dot first', '..two', '.', '...three', ' . ', 'From the beginning', '> quoted', '--', '-- not a boundary', ''].join(
    CRLF,
  ),
  `${Array.from({ length: 60 }, (_, index) => `Paragraph ${index}: ${'words and more '.repeat(12)}`).join(CRLF)}${CRLF}`,
  `${'x'.repeat(990)}${CRLF}${'\t'.repeat(30)}tabs${CRLF}trailing   ${CRLF}`,
  '',
  `${utf8('Grüße, привет, こんにちは — ½ €')}${CRLF}`,
  ['http://www.example.org/?q=1&r=%20x', 'mailto:a@example.org', 'a = b; c == d =', '=3D =20 literally', ''].join(CRLF),
  `begin 644 not-uuencoded${CRLF}text that only looks so${CRLF}end${CRLF}`,
];

type Encode = (text: string) => { readonly header: readonly string[]; readonly body: string };

const lines76 = (text: string): string => `${(text.match(/.{1,76}/g) ?? ['']).join(CRLF)}${CRLF}`;

function quotedPrintable(text: string): string {
  const line = (plain: string): string => {
    const coded = plain
      .replace(/[=\x80-\xff]/g, (octet) => `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
      .replace(/[ \t]$/, (blank) => (blank === ' ' ? '=20' : '=09'));
    return (coded.match(/(?:[^=]|=..){1,70}/g) ?? ['']).join(`=${CRLF}`);
  };
  return text.split(CRLF).map(line).join(CRLF);
}

const ENCODINGS: readonly Encode[] = [
  (text) => ({ header: [], body: text }),
  (text) => ({ header: ['Content-Transfer-Encoding: 8bit'], body: text }),
  (text) => ({ header: ['Content-Transfer-Encoding: 7bit'], body: text.replace(/[\x80-\xff]/g, '?') }),
  (text) => ({ header: ['Content-Transfer-Encoding: quoted-printable'], body: quotedPrintable(text) }),
  (text) => ({
    header: ['Content-Transfer-Encoding: BASE64'],
    body: lines76(Buffer.from(text, 'latin1').toString('base64')),
  }),
];

type Structure = (encoded: ReturnType<Encode>, boundary: string) => { header: readonly string[]; body: string };

const PLAIN = 'Content-Type: text/plain; charset="utf-8"';
const HTML = 'Content-Type: text/html; charset=utf-8';
const VERSION = 'MIME-Version: 1.0';
const IMAGE = lines76(Buffer.from(Array.from({ length: 3_000 }, (_, index) => (index * 7) % 256)).toString('base64'));

const part = (header: readonly string[], body: string): string => [...header, '', body].join(CRLF);

function multipart(kind: string, boundary: string, parts: readonly string[], words = ''): string {
  const inner = parts.map((one) => `--${boundary}${CRLF}${one}${one.endsWith(CRLF) ? '' : CRLF}`).join('');
  return `Content-Type: multipart/${kind};${CRLF} boundary="${boundary}"${words}${CRLF}${CRLF}${inner}--${boundary}--${CRLF}`;
}

/** Splits a part into its header lines and its body, for the top of a message. */
function onTop(text: string): { header: readonly string[]; body: string } {
  const at = text.indexOf(CRLF + CRLF);
  return { header: [VERSION, ...text.slice(0, at).split(CRLF)], body: text.slice(at + 4) };
}

const html = (body: string): string => part([HTML], `<html><body><p>${body.slice(0, 200)}</p></body></html>${CRLF}`);
const png = part(
  ['Content-Type: image/png; name="a.png"', 'Content-Transfer-Encoding: base64', 'Content-ID: <i@x>'],
  IMAGE,
);
const pdf = part(
  [
    'Content-Type: application/pdf',
    'Content-Disposition: attachment;',
    " filename*=UTF-8''%C3%BC.pdf",
    'Content-Transfer-Encoding: base64',
  ],
  IMAGE,
);

const STRUCTURES: readonly Structure[] = [
  ({ header, body }) => ({ header, body }),
  ({ header, body }) => ({ header: [VERSION, PLAIN, ...header], body }),
  ({ header, body }) => ({ header: [VERSION, HTML, ...header], body }),
  ({ header, body }, b) => onTop(multipart('alternative', b, [part([PLAIN, ...header], body), html(body)])),
  ({ header, body }, b) => onTop(multipart('mixed', b, [part([PLAIN, ...header], body), pdf])),
  ({ header, body }, b) => onTop(multipart('related', b, [part([HTML, ...header], body), png], '; type="text/html"')),
  ({ header, body }, b) => {
    const inner = multipart('alternative', `${b}.in`, [part([PLAIN, ...header], body), html(body)]);
    return onTop(multipart('mixed', b, [inner, png, pdf]));
  },
  ({ header, body }, b) => {
    const forwarded = part(['From: <x@example.net>', 'Subject: inner', ...header], body);
    return onTop(
      multipart('mixed', b, [part([PLAIN], 'see below'), part(['Content-Type: message/rfc822'], forwarded)]),
    );
  },
  ({ header, body }, b) => {
    const status = part(
      ['Content-Type: message/delivery-status'],
      `Reporting-MTA: dns; x.example${CRLF}${CRLF}Action: failed${CRLF}`,
    );
    return onTop(multipart('report', b, [part([PLAIN, ...header], body), status], '; report-type=delivery-status'));
  },
  ({ header, body }, b) => {
    const signature = part(
      ['Content-Type: application/pgp-signature'],
      `-----BEGIN PGP SIGNATURE-----${CRLF}${CRLF}iQE=${CRLF}`,
    );
    return onTop(multipart('signed', b, [part([PLAIN, ...header], body), signature], '; micalg=pgp-sha512'));
  },
  ({ header, body }, b) => {
    const calendar = part(
      ['Content-Type: text/calendar; method=REQUEST'],
      `BEGIN:VCALENDAR${CRLF}END:VCALENDAR${CRLF}`,
    );
    return onTop(multipart('mixed', `=_${b} (1)'+,-./:?`, [part([PLAIN, ...header], body), calendar]));
  },
  ({ header, body }, b) => {
    const { header: outer, body: rest } = onTop(multipart('mixed', b, [part([PLAIN, ...header], body)]));
    return { header: outer, body: `This is a multi-part message in MIME format.${CRLF}${rest}${CRLF}epilogue${CRLF}` };
  },
];

const stuffed = (text: string): string => text.replace(/(^|\r\n)\./g, '$1..');

/** The message as DATA carries it: dot-stuffed, with its end. */
export function asData({ text }: OrdinaryMessage): string {
  return `${stuffed(text)}${text.endsWith(CRLF) ? '' : CRLF}.${CRLF}`;
}

/** `count` messages, spread over all combinations. */
export function ordinaryMessages(count: number): readonly OrdinaryMessage[] {
  return Array.from({ length: count }, (_, index) => {
    const pick = <Item>(items: readonly Item[], step: number): Item =>
      items[Math.floor(index / step) % items.length] as Item;
    const encoded = pick(ENCODINGS, STRUCTURES.length)(pick(TEXTS, 1));
    const { header, body } = pick(STRUCTURES, 1)(encoded, `b-${index}-${'='.repeat(index % 5)}`);
    const id = `<ordinary-${index}@client.lab.example>`;
    const headers = [...BASE, `Message-ID: ${id}`, ...pick(HEADERS, 1), ...withoutRepeats(header, pick(HEADERS, 1))];
    return { id, text: [...headers, '', body.endsWith(CRLF) ? body : `${body}${CRLF}`].join(CRLF) };
  });
}

function withoutRepeats(header: readonly string[], before: readonly string[]): readonly string[] {
  const has = before.some((line) => /^mime-version:/i.test(line));
  return has ? header.filter((line) => !/^mime-version:/i.test(line)) : header;
}
