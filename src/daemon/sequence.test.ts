import { expect, test } from 'vitest';
import { Sequence } from './sequence.ts';

function slow(steps: string[], name: string, turns: number): () => Promise<string> {
  return async () => {
    steps.push(`${name} begins`);
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    steps.push(`${name} ends`);
    return name;
  };
}

test('a task begins when the one before it has ended, however long that takes', async () => {
  const sequence = new Sequence();
  const steps: string[] = [];
  const results = await Promise.all([
    sequence.run(slow(steps, 'reload', 20)),
    sequence.run(slow(steps, 'stop', 0)),
    sequence.run(slow(steps, 'late', 3)),
  ]);
  expect(results).toEqual(['reload', 'stop', 'late']);
  const expected = ['reload', 'stop', 'late'].flatMap((name) => [`${name} begins`, `${name} ends`]);
  expect(steps).toEqual(expected);
});

test('what fails is told to its caller only', async () => {
  const sequence = new Sequence();
  const failed = sequence.run(() => Promise.reject(new Error('no such file')));
  const next = sequence.run(() => Promise.resolve('went on'));
  await expect(failed).rejects.toThrow('no such file');
  await expect(next).resolves.toBe('went on');
});
