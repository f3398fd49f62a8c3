import { expect, test } from 'vitest';
import { hitOf } from './hits.ts';
import type { ApplicationProgram, ProgramClass } from './program.ts';

const PROGRAM = { policy: 'P' } as ApplicationProgram;
const CLASS = {
  name: 'C',
  actions: { log: true, reset: true, mask: false, allow: false, shadow: false },
} as unknown as ProgramClass;

test('a login in clear is told with its mechanism, an invalid command without', () => {
  const condition = (kind: 'clearTextLogin' | 'invalidCommand') => ({ kind, mapIndex: -1, bit: 1n });
  const login = { kind: 'clearTextLogin', text: 'AUTH PLAIN', mechanism: 'PLAIN' } as const;
  expect(hitOf(PROGRAM, CLASS, condition('clearTextLogin'), login)).toMatchObject({
    ...{ event: 'CLEAR_TEXT_LOGIN', policy: 'P', class: 'C', verb: 'resetting' },
    ...{ detail: 'AUTH PLAIN', mechanism: 'PLAIN' },
  });
  const command = { kind: 'invalidCommand', text: 'XKILL' } as const;
  expect(hitOf(PROGRAM, CLASS, condition('invalidCommand'), command)).not.toHaveProperty('mechanism');
});
