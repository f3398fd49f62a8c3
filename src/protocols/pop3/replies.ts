/** The first word of a line from the server decides (RFC 1939 3, RFC 5034 4). `+OKAY` is none of them. */
export type Reply = 'affirmative' | 'negative' | 'challenge' | 'malformed';

export function readReply(text: string): Reply {
  const [status] = text.split(' ', 1);
  switch (status) {
    case '+OK':
      return 'affirmative';
    case '-ERR':
      return 'negative';
    case '+':
      return 'challenge';
    default:
      return 'malformed';
  }
}

/** Whether the beginning of a greeting can still become `+OK` or `-ERR`. */
export function canBeGreeting(text: string): boolean {
  return ['+OK', '-ERR'].some((status) => `${status} `.startsWith(text) || text.startsWith(`${status} `));
}
