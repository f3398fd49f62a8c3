/**
 * Which queue a connection belongs to, as a classic BPF program for the `bpf` match: a keyed hash of both addresses
 * and both ports that comes out the same for either direction.
 *
 * Why not the kernel's own means: `--queue-balance` hashes the addresses only, so the traffic of one relay would stay
 * on one worker; HMARK hashes the ports too but overwrites the whole packet mark, which belongs to the administrator.
 * The key keeps outsiders from choosing ports that all fall on one worker.
 */
export interface QueueChoice {
  /** How many queues there are. */
  readonly queues: number;
  /** The one this program matches, from 0. */
  readonly index: number;
  /** 32 secret bits, the same for every rule and as long as the rules stand. */
  readonly key: number;
}

/**
 * One instruction of classic BPF: operation, jumps when true and when false, operand. Jumps count instructions, or
 * name a label.
 */
type Jump = number | string;
type Instruction = readonly [operation: number, whenTrue: Jump, whenFalse: Jump, operand: number];
type Labelled = readonly [label: string, ...instruction: Instruction];

// linux/bpf_common.h: class | size | mode, by the names of the assembler in tools/bpf.
const LOAD_WORD = 0x20;
const LOAD_BYTE = 0x30;
const LOAD_HALF_AT_X = 0x48;
const LOAD_BYTE_AT_X = 0x50;
const LOAD_X_IMMEDIATE = 0x01;
const LOAD_X_HEADER_LENGTH = 0xb1;
const LOAD_X_SCRATCH = 0x61;
const LOAD_IMMEDIATE = 0x00;
const STORE_SCRATCH = 0x02;
const COPY_TO_X = 0x07;
const XOR_X = 0xac;
const MULTIPLY = 0x24;
const SHIFT_RIGHT = 0x74;
const SHIFT_LEFT = 0x64;
const ADD = 0x04;
const ADD_X = 0x0c;
const MODULO = 0x94;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;

const ADDRESSES = 0;
const PORT = 1;
/** Where the next header begins, less the IPv6 header. */
const NEXT = 1;
const TCP = 6;
const UDP = 17;
/** What may stand between (RFC 8200 4), of lengths in units of eight octets; fragments are put together before. */
const [HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS] = [0, 43, 60] as const;
const IPV6 = { nextHeader: 6, source: 8, octets: 40 } as const;

/** For TCP and UDP packets that start at an IPv4 header. */
export function ipv4QueueProgram(choice: QueueChoice): string {
  return encode([
    [LOAD_WORD, 0, 0, 12],
    [COPY_TO_X, 0, 0, 0],
    [LOAD_WORD, 0, 0, 16],
    [XOR_X, 0, 0, 0],
    [STORE_SCRATCH, 0, 0, ADDRESSES],
    [LOAD_X_HEADER_LENGTH, 0, 0, 0],
    [LOAD_HALF_AT_X, 0, 0, 0],
    [STORE_SCRATCH, 0, 0, PORT],
    [LOAD_HALF_AT_X, 0, 0, 2],
    [LOAD_X_SCRATCH, 0, 0, PORT],
    [XOR_X, 0, 0, 0],
    ...choose(choice),
  ]);
}

/**
 * For packets that start at an IPv6 header. It looks behind one or two extension headers: for a third, xt_bpf has no
 * room (64 instructions), and the ports do not count: the addresses decide.
 */
export function ipv6QueueProgram(choice: QueueChoice): string {
  const foldAddresses: Instruction[] = [[LOAD_WORD, 0, 0, IPV6.source]];
  for (let offset = IPV6.source + 4; offset < IPV6.octets; offset += 4) {
    foldAddresses.push([COPY_TO_X, 0, 0, 0], [LOAD_WORD, 0, 0, offset], [XOR_X, 0, 0, 0]);
  }
  return encode([
    ...foldAddresses,
    [STORE_SCRATCH, 0, 0, ADDRESSES],
    [LOAD_X_IMMEDIATE, 0, 0, 0],
    [LOAD_BYTE, 0, 0, IPV6.nextHeader],
    [JUMP_EQUAL, 'ports', 0, TCP],
    [JUMP_EQUAL, 'ports', 0, UDP],
    [JUMP_EQUAL, 'first', 0, HOP_BY_HOP],
    [JUMP_EQUAL, 'first', 0, ROUTING],
    [JUMP_EQUAL, 'first', 'none', DESTINATION_OPTIONS],
    ['first', LOAD_BYTE, 0, 0, IPV6.octets + 1],
    [SHIFT_LEFT, 0, 0, 3],
    [ADD, 0, 0, 8],
    [COPY_TO_X, 0, 0, 0],
    [LOAD_BYTE, 0, 0, IPV6.octets],
    [JUMP_EQUAL, 'ports', 0, TCP],
    [JUMP_EQUAL, 'ports', 0, UDP],
    [JUMP_EQUAL, 'second', 0, ROUTING],
    [JUMP_EQUAL, 'second', 'none', DESTINATION_OPTIONS],
    ['second', LOAD_BYTE_AT_X, 0, 0, IPV6.octets + 1],
    [SHIFT_LEFT, 0, 0, 3],
    [ADD_X, 0, 0, 0],
    [ADD, 0, 0, 8],
    [STORE_SCRATCH, 0, 0, NEXT],
    [LOAD_BYTE_AT_X, 0, 0, IPV6.octets],
    [LOAD_X_SCRATCH, 0, 0, NEXT],
    [JUMP_EQUAL, 'ports', 0, TCP],
    [JUMP_EQUAL, 'ports', 'none', UDP],
    ['none', LOAD_IMMEDIATE, 0, 0, 0],
    [JUMP, 0, 0, 5],
    ['ports', LOAD_HALF_AT_X, 0, 0, IPV6.octets],
    [STORE_SCRATCH, 0, 0, PORT],
    [LOAD_HALF_AT_X, 0, 0, IPV6.octets + 2],
    [LOAD_X_SCRATCH, 0, 0, PORT],
    [XOR_X, 0, 0, 0],
    ...choose(choice),
  ]);
}

/** From the folded ports in A and the folded addresses in scratch memory to the answer. */
function choose(choice: QueueChoice): readonly Instruction[] {
  return [
    [MULTIPLY, 0, 0, oddMultiplier(choice.key, 0x9e3779b1)],
    [LOAD_X_SCRATCH, 0, 0, ADDRESSES],
    [XOR_X, 0, 0, 0],
    [MULTIPLY, 0, 0, oddMultiplier(choice.key, 0x85ebca77)],
    [SHIFT_RIGHT, 0, 0, 16],
    [MODULO, 0, 0, choice.queues],
    [JUMP_EQUAL, 0, 1, choice.index],
    [RETURN, 0, 0, 1],
    [RETURN, 0, 0, 0],
  ];
}

/** Odd, so that multiplying loses nothing; different for the two rounds. */
function oddMultiplier(key: number, round: number): number {
  return (Math.imul(key ^ round, 0xc2b2ae35) | 1) >>> 0;
}

function isLabelled(line: Instruction | Labelled): line is Labelled {
  return typeof line[0] === 'string';
}

function encode(program: readonly (Instruction | Labelled)[]): string {
  const labels = new Map(program.flatMap((line, at) => (isLabelled(line) ? [[line[0], at] as const] : [])));
  const lines = program.map((line, at) => {
    const [operation, whenTrue, whenFalse, operand] = isLabelled(line) ? [line[1], line[2], line[3], line[4]] : line;
    const distance = (jump: Jump) => (typeof jump === 'number' ? jump : (labels.get(jump) ?? Number.NaN) - at - 1);
    return `${operation} ${distance(whenTrue)} ${distance(whenFalse)} ${operand}`;
  });
  return [String(lines.length), ...lines].join(',');
}
