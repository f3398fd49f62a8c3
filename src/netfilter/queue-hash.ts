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

/** One instruction of classic BPF: operation, jumps when true and when false, operand. */
type Instruction = readonly [operation: number, whenTrue: number, whenFalse: number, operand: number];

// linux/bpf_common.h: class | size | mode, by the names of the assembler in tools/bpf.
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const LOAD_HALF_AT_X = 0x48;
const LOAD_X_HEADER_LENGTH = 0xb1;
const LOAD_X_SCRATCH = 0x61;
const LOAD_IMMEDIATE = 0x00;
const STORE_SCRATCH = 0x02;
const COPY_TO_X = 0x07;
const XOR_X = 0xac;
const MULTIPLY = 0x24;
const SHIFT_RIGHT = 0x74;
const MODULO = 0x94;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;

const ADDRESSES = 0;
const PORT = 1;
const TCP = 6;
const UDP = 17;

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

/** For packets that start at an IPv6 header. Behind extension headers the ports do not count: the addresses decide. */
export function ipv6QueueProgram(choice: QueueChoice): string {
  const foldAddresses: Instruction[] = [[LOAD_WORD, 0, 0, 8]];
  for (let offset = 12; offset < 40; offset += 4) {
    foldAddresses.push([COPY_TO_X, 0, 0, 0], [LOAD_WORD, 0, 0, offset], [XOR_X, 0, 0, 0]);
  }
  return encode([
    ...foldAddresses,
    [STORE_SCRATCH, 0, 0, ADDRESSES],
    [LOAD_BYTE, 0, 0, 6],
    [JUMP_EQUAL, 1, 0, TCP],
    [JUMP_EQUAL, 0, 5, UDP],
    [LOAD_HALF, 0, 0, 40],
    [COPY_TO_X, 0, 0, 0],
    [LOAD_HALF, 0, 0, 42],
    [XOR_X, 0, 0, 0],
    [JUMP, 0, 0, 1],
    [LOAD_IMMEDIATE, 0, 0, 0],
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

function encode(program: readonly Instruction[]): string {
  return [String(program.length), ...program.map((instruction) => instruction.join(' '))].join(',');
}
