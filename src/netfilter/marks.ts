/**
 * The five bits by which Postern and the kernel's tables talk about a packet or a connection. They are the only bits of
 * the mark that Postern ever reads or writes; the administrator's own marks beside them are left as they are.
 */
export interface MarkBits {
  /** Packet mark: built by Postern (refusals, resets); never steered into the queue again. */
  readonly injected: number;
  /** Packet mark with an accept: from now on neither direction comes to the queue. Saved in the connmark. */
  readonly offloadBoth: number;
  /** Packet mark with an accept: the responder's direction stays out of the queue. Saved in the connmark. */
  readonly offloadResponder: number;
  /** Packet mark with an accept: takes back whatever was offloaded. */
  readonly clear: number;
  /** Packet mark with an accept, and a packet that came by it: the connection has a session, its opening. Saved. */
  readonly session: number;
  /** All five. */
  readonly all: number;
  /** What the connmark remembers. */
  readonly offload: number;
  /** On a packet that comes to the gate only to be told of: its zone policy drops it. No verdict sets all of these. */
  readonly zoneDrop: number;
  /** The same for one that its zone policy lets pass (`pass log`). */
  readonly zonePass: number;
}

/** Bits 24 to 28. Native code gets them from the daemon, so another place is a matter of one option. */
const MARK_SHIFT_DEFAULT = 24;

/** The five bits from `shift` on, which is 0 to 27. */
export function markBits(shift: number = MARK_SHIFT_DEFAULT): MarkBits {
  if (!Number.isInteger(shift) || shift < 0 || shift > 27) throw new RangeError('a mark has 32 bits: shift is 0 to 27');
  const bit = (index: number): number => (1 << (shift + index)) >>> 0;
  const [injected, offloadBoth, offloadResponder, clear, session] = [bit(0), bit(1), bit(2), bit(3), bit(4)];
  return {
    injected,
    offloadBoth,
    offloadResponder,
    clear,
    session,
    all: (0x1f << shift) >>> 0,
    offload: (offloadBoth | offloadResponder) >>> 0,
    zoneDrop: (injected | clear | session) >>> 0,
    zonePass: (injected | clear) >>> 0,
  };
}

export const MARKS: MarkBits = markBits();

/** Value and mask of one bit: set. As `--set-xmark`: sets it and leaves the others. */
export function setBit(bit: number): string {
  return `${hex(bit)}/${hex(bit)}`;
}

/** Value and mask: none of these bits. As `--set-xmark`: clears them and leaves the others. */
export function noneOf(mask: number): string {
  return `0x0/${hex(mask)}`;
}

/** Value and mask: exactly these of the bits in `mask`. As `--set-xmark`: puts them in the place of the others. */
export function exactly(bits: number, mask: number): string {
  return `${hex(bits)}/${hex(mask)}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
