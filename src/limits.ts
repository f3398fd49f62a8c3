/** Every capacity and budget of the TypeScript side, with its unit. Native ones stand in `native/core/limits.h`. */

/**
 * RFC 5321 4.5.3.1.4 gives 512 octets with CRLF; extensions add up (AUTH= 500, ORCPT= 500, SMTPUTF8), RFC 4954 4 lines
 * to 12288.
 */
export const SMTP_COMMAND_BYTES_MAX = 2_048;
export const SASL_RESPONSE_BYTES_MAX = 12_288;
/** One BDAT chunk: servers that count with 32 bits read larger sizes as small ones, and what is behind as commands. */
export const SMTP_CHUNK_BYTES_MAX = 2_147_483_647;
/** RFC 5321 4.5.3.1.5 gives 512; real greetings and EHLO lines are longer. */
export const SMTP_REPLY_BYTES_MAX = 4_096;
export const POP3_COMMAND_BYTES_MAX = 255;
/** Cyrus and Courier read 8,191 octets with CRLF of a line and take the rest for another one. */
export const POP3_SASL_BYTES_MAX = 8_189;
export const POP3_REPLY_BYTES_MAX = 4_096;
/** Before authentication; RFC 9051 leaves it open, RFC 7162 4 asks for 8192 at least. */
export const IMAP_COMMAND_BYTES_MAX = 8_192;
export const IMAP_REPLY_BYTES_MAX = 65_536;
/** A literal before authentication (LOGIN, ID): user names and passwords, not messages. */
export const IMAP_LITERAL_BYTES_MAX = 65_536;
export const IMAP_LITERALS_A_COMMAND_MAX = 32;
/** RFC 2971 3.3: the name of a field of ID. */
export const IMAP_ID_FIELD_BYTES_MAX = 30;
/** Commands sent and not yet answered, all protocols. */
export const UNANSWERED_COMMANDS_MAX = 100;
/** `max-data` where nothing is configured (cisco: 20 MB). */
export const SMTP_MAX_DATA_BYTES_DEFAULT = 20_971_520;
/** A larger file is no configuration and is not read. */
export const CONFIGURATION_BYTES_MAX = 33_554_432;
/** A configuration file: longer lines are refused, further lines and messages are not read. */
export const CONFIGURATION_LINE_CHARACTERS_MAX = 4_096;
export const CONFIGURATION_LINES_MAX = 200_000;
export const CONFIGURATION_MESSAGES_MAX = 1_000;
/** One exec command as typed. */
export const EXEC_COMMAND_CHARACTERS_MAX = 1_024;
/** Servers that `tcp max-incomplete host … block-time` blocks at once. */
export const BLOCKED_HOSTS_MAX = 1_024;
/** Servers that were told about and may not be told about again within a minute. */
export const HOST_EPISODES_MAX = 1_024;
/** Servers that the kernel answers for at once (`postern syn-proxy`): each is some rules that packets pass. */
export const SYN_PROXY_HOSTS_MAX = 64;
/** Servers for which that was in vain, and which were told of. */
export const SYN_PROXY_SHUNNED_MAX = 256;
/** Half-open sessions that `show` lists. */
export const HALF_OPEN_LISTED_MAX = 10_000;
/** Rules whose sessions are counted one by one (`parameter max-sessions`). */
export const COUNTED_RULES_MAX = 1_023;
/** The name of an access list: it stands in the comments of the kernel's rules. */
export const ACCESS_LIST_NAME_CHARACTERS_MAX = 64;
/** Classes of zone policies, and of application policies below them, that a worker counts one by one. */
export const ZONE_CLASSES_COUNTED_MAX = 1_024;
export const APPLICATION_CLASSES_COUNTED_MAX = 4_096;
/** Names and descriptions of the zone firewall (YANG; cisco-ios 1.6, 1.10, D-11). */
export const MAP_NAME_CHARACTERS_MAX = 200;
export const ZONE_NAME_CHARACTERS_MAX = 64;
export const ZONE_PAIR_NAME_CHARACTERS_MAX = 128;
export const DESCRIPTION_CHARACTERS_MAX = 200;
/** A verb, a keyword of EHLO or an encoding that a class asks for. */
export const MATCHED_WORD_CHARACTERS_MAX = 64;
/** `parameter-map type regex` (YANG; cisco-ios 1.5, R15). */
export const PATTERNS_A_MAP_MAX = 64;
export const PATTERN_CHARACTERS_MAX = 240;
/** Classes within classes: each level is walked for the first packet of a flow. */
export const CLASS_NESTING_LEVELS_MAX = 16;
/** Conditions of a class, those of the classes within it counted wherever they stand. */
export const CLASS_CONDITIONS_MAX = 4_096;
/** What `learn sender` records: pairs of a sender and a client. A sender is a path (RFC 5321 4.5.3.1). */
export const LEARNED_MAX = 65_536;
export const LEARNED_SENDER_BYTES_MAX = 320;
/** Servers that offered STARTTLS, remembered by each worker, and for how long. */
export const STARTTLS_SERVERS_MAX = 4_096;
export const STARTTLS_OFFER_DAYS_MAX = 7;
/** Changes that workers are told one by one; who missed more is told everything. */
export const LEARNED_CHANGES_MAX = 4_096;
/** Entries that are not on the disk yet. Those that went count too: there are as many for every one that came. */
export const LEARNED_UNWRITTEN_MAX = 131_072;
/** How long the store of learned senders may take to be read when the daemon starts. */
export const LEARNED_CHECK_MS_MAX = 10_000;
/** Protocols of a TLS hello (ALPN) that are shown; clients of mail offer one, browsers two. */
export const TLS_ALPN_NAMES_MAX = 16;
