import type { DebugSelection } from '../commands/debug-command.ts';

/** Which lines of the workers' debug stream (engine/debug-line.ts) a debug command asks for. */
export function debugFilter({ topic, protocol }: DebugSelection): (line: string) => boolean {
  switch (topic) {
    case 'detailed':
      return () => true;
    case 'events':
      return (line) => /^CBAC (?:open|close|drop):| (?:refuse|mask)(?: |$)/.test(line);
    case 'timers':
      return (line) => line.includes('timeout');
    case 'object-creation':
      return (line) => line.startsWith('CBAC open:');
    case 'object-deletion':
      return (line) => line.startsWith('CBAC close:');
    case 'protocol':
      // Every mail protocol runs over TCP.
      return (line) => protocol === 'tcp' || line.split(' ').includes(protocol ?? '');
  }
}
