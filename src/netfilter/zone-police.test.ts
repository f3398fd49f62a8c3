import { expect, test } from 'vitest';
import { policeLines } from './zone-police.ts';

const lines = (rate: number, burst: number) =>
  policeLines(['police', 'rate', String(rate), 'burst', String(burst)], 'POSTERN-ZONE-4');

test('a burst within a second of the rate is the bucket that the kernel has anyway (C25)', () => {
  expect(lines(128_000, 8_000)).toEqual([
    '-m length --length 16001:65535 -g POSTERN-ZONE-4',
    '-m hashlimit --hashlimit-above 16000b/s --hashlimit-name postern-4-16000-1 -g POSTERN-ZONE-4',
    '-j RETURN',
  ]);
});

test('a larger one fills it so many times more, rounded up to whole seconds', () => {
  const burst = '--hashlimit-above 16000b/s --hashlimit-burst 64000b --hashlimit-name postern-4-16000-5';
  expect(lines(128_000, 64_001)).toEqual([`-m hashlimit ${burst} -g POSTERN-ZONE-4`, '-j RETURN']);
});
