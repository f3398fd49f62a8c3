const TOPICS = ['tcp', 'smtp', 'pop3', 'imap', 'events', 'timers', 'detailed'] as const;
type Topic = (typeof TOPICS)[number];

/** Which lines of the workers' debug stream a command asks for; or IOS's error. */
export function parseDebugCommand(command: string): ((line: string) => boolean) | { readonly error: string } {
  const words = command.trim().toLowerCase().split(/\s+/);
  const fixed = ['debug', 'ip', 'inspect'];
  const matches = fixed.every((word, at) => isPrefix(words[at], word)) && words.length === fixed.length + 1;
  const topics = TOPICS.filter((topic) => isPrefix(words[fixed.length], topic));
  const [topic] = topics;
  if (!matches || topic === undefined)
    return { error: `% Unrecognized command: debug ip inspect {${TOPICS.join('|')}}` };
  if (topics.length > 1) return { error: `% Ambiguous command:  "${words.at(-1)}"` };
  return (line) => concerns(topic, line);
}

function isPrefix(typed: string | undefined, word: string): boolean {
  return typed !== undefined && typed !== '' && word.startsWith(typed);
}

/** The lines are of the workers' making: `CBAC <event>: sis <id> <protocol> …`. */
function concerns(topic: Topic, line: string): boolean {
  switch (topic) {
    case 'tcp':
    case 'detailed':
      return true;
    case 'events':
      return line.startsWith('CBAC open') || line.startsWith('CBAC close');
    case 'timers':
      return line.includes('timeout');
    case 'smtp':
    case 'pop3':
    case 'imap':
      return line.split(' ').includes(topic);
  }
}
