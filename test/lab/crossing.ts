import type { Namespace } from './namespaces.ts';
import { must } from './process.ts';

/**
 * One question and its answer between two namespaces, both ends in one program, so that nothing has to be started and
 * waited for. TCP and UDP echo what they get; ICMP is an echo request.
 */
const PROGRAM = `
import ctypes, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def enter(name):
    with open('/run/netns/' + name) as space:
        if libc.setns(space.fileno(), 0x40000000) != 0: raise OSError(ctypes.get_errno(), name)
def close(one):
    one.shutdown(socket.SHUT_WR)
    while one.recv(99): pass
    one.close()
client_space, server_space, address, kind, port, own_port = sys.argv[1:7]
where, family = (address, int(port)), socket.AF_INET6 if ':' in address else socket.AF_INET
stream = socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM
enter(server_space)
if kind != 'icmp':
    server = socket.socket(family, stream)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(where)
    server.settimeout(2)
    if kind == 'tcp': server.listen(1)
enter(client_space)
try:
    if kind == 'icmp':
        client = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        client.settimeout(2)
        client.connect((address, 0))
        me = os.getpid() % 32768
        client.send(struct.pack('!BBHHH', 8, 0, 0xffff - 0x0800 - me - 1, me, 1))
        print('answered' if client.recv(99)[20] == 0 else 'something else')
        sys.exit()
    client = socket.socket(family, stream)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.settimeout(2)
    if own_port != '0': client.bind(('', int(own_port)))
    client.connect(where)
    if kind == 'udp':
        client.send(b'question')
        data, peer = server.recvfrom(99)
        server.sendto(data, peer)
        print('answered' if client.recv(99) == b'question' else 'something else')
    else:
        peer, _ = server.accept()
        peer.settimeout(2)
        client.sendall(b'question')
        peer.sendall(peer.recv(99))
        print('answered' if client.recv(99) == b'question' else 'something else')
        client.shutdown(socket.SHUT_WR)
        peer.recv(99)
        close(peer)
        client.recv(99)
except TimeoutError: print('silence')
except OSError as error: print(error.strerror or error)
`;

export interface Crossing {
  readonly to: string;
  readonly kind: 'tcp' | 'udp' | 'icmp';
  readonly port?: number;
  /** The client's own port; any without it. */
  readonly from?: number;
}

/** `answered`, `silence`, or the system's word for what went wrong. */
export async function cross(client: Namespace, server: Namespace, crossing: Crossing): Promise<string> {
  const { to, kind, port = 0, from = 0 } = crossing;
  const words = [client.name, server.name, to, kind, String(port), String(from)];
  return (await must(['python3', '-c', PROGRAM, ...words], { timeoutMs: 20_000 })).trim();
}

/** A lone TCP segment with the ACK flag, of no connection that anybody knows; `from` and `to` are `address:port`. */
export async function sendLateSegment(sender: Namespace, from: string, to: string): Promise<void> {
  const program = `
import socket, struct, sys
def total(data):
    value = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while value >> 16: value = (value & 0xffff) + (value >> 16)
    return ~value & 0xffff
(source, sport), (destination, dport) = (end.split(':') for end in sys.argv[1:3])
ends = socket.inet_aton(source) + socket.inet_aton(destination)
tcp = struct.pack('!HHIIBBHHH', int(sport), int(dport), 1, 1, 5 << 4, 0x10, 1024, 0, 0)
tcp = tcp[:16] + struct.pack('!H', total(ends + struct.pack('!BBH', 0, 6, 20) + tcp)) + tcp[18:]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw.sendto(struct.pack('!BBHHHBBH', 0x45, 0, 40, 1, 0, 64, 6, 0) + ends + tcp, (destination, 0))
`;
  await sender.must(['python3', '-c', program, from, to]);
}
