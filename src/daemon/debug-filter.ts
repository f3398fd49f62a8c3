import type { DebugSelection } from '../commands/debug-command.ts';

/** Which lines of the workers' debug stream (engine/debug-line.ts) a debug command asks for. */
export function debugFilter({ topic, protocol = '' }: DebugSelection): (line: string) => boolean {
  const wanted = (line: string): boolean => {
    switch (topic) {
      case 'detailed':
        return true;
      case 'events':
        return /^CBAC (?:open|close):| dropped: |^CBAC frame: .* (?:refuse|mask)(?: |$)/.test(line);
      case 'timers':
        return line.startsWith('CBAC timer:');
      case 'object-creation':
        return line.startsWith('CBAC OBJ_CREATE:');
      case 'object-deletion':
        return line.startsWith('CBAC OBJ_DELETE:');
      case 'protocol':
        return isOf(line, protocol);
    }
  };
  // What was left out concerns everybody.
  return (line) => line.startsWith('CBAC: ') || wanted(line);
}

const PACKET = /^CBAC\* (?:sis \S+ )?pak \d+ (TCP|UDP|ICMP) /;
const SESSION = /^CBAC (?:open|close|frame): sis \S+ (\S+) /;

/** A transport: its packets and the sessions over it. A mail protocol: its sessions and frames. */
function isOf(line: string, protocol: string): boolean {
  const transport = PACKET.exec(line)?.[1]?.toLowerCase();
  if (transport !== undefined) return transport === protocol;
  const application = SESSION.exec(line)?.[1];
  if (application === undefined || application === protocol) return application !== undefined;
  return protocol === 'tcp' && application !== 'udp' && application !== 'icmp';
}
