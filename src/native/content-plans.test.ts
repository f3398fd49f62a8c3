import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ContentPlan, loadAddon, loadPatterns } from './addon.ts';

const addon = loadAddon();
const patterns = loadPatterns();
const NOTHING: ContentPlan = { encodings: false, headerLengths: [], dataLengths: [] };

/** A pcap file without packets: magic, version 2.4, no zone, 262,144 octets a packet, raw IP. */
const EMPTY_CAPTURE = Buffer.from('d4c3b2a10200040000000000000000000000040065000000', 'hex');

describe('content plans', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-plans-'));
  let host = 0;
  let field = 0;
  let body = 0;

  beforeAll(async () => {
    writeFileSync(join(folder, 'empty.pcap'), EMPTY_CAPTURE);
    host = addon.openCapture(join(folder, 'empty.pcap'), null);
    field = await patterns.compilePatterns([{ expression: 'a', caseless: false }], 'field');
    body = await patterns.compilePatterns([{ expression: 'a', caseless: false }], 'body');
  });

  afterAll(() => {
    for (const set of [field, body]) patterns.releasePatterns(set);
    addon.close(host);
    rmSync(folder, { recursive: true });
  });

  test('have numbers that are never 0 and never given again', () => {
    const plan = { header: field, body, decoded: body, contentType: field };
    const first = addon.definePlan(host, { ...plan, encodings: true, headerLengths: [9, 3], dataLengths: [2 ** 40] });
    expect(first).toBeGreaterThan(0);
    addon.releasePlan(host, first);
    expect(addon.definePlan(host, NOTHING)).toBeGreaterThan(first);
  });

  test.each([
    ['header', 'a set of bodies', () => body],
    ['contentType', 'a set of bodies', () => body],
    ['body', 'a set of fields', () => field],
    ['decoded', 'a set of fields', () => field],
  ] as const)('%s is not %s', (name, _what, set) => {
    expect(() => addon.definePlan(host, { ...NOTHING, [name]: set() })).toThrow(`patterns of another place: ${name}`);
  });

  test('take no set that there is not, and belong to a host', () => {
    expect(() => addon.definePlan(host, { ...NOTHING, header: 4_000_000 })).toThrow('no such patterns: header');
    expect(() => addon.definePlan(4_000_000, NOTHING)).toThrow('no such packet host');
  });

  test('are bounded, and a plan that was released makes room', () => {
    const plans: number[] = [];
    const defineAll = (): void => {
      for (;;) plans.push(addon.definePlan(host, NOTHING));
    };
    expect(defineAll).toThrow('too many content plans');
    expect(plans.length).toBeGreaterThan(1_000);
    addon.releasePlan(host, plans[0] ?? 0);
    plans.push(addon.definePlan(host, NOTHING));
    for (const plan of plans) addon.releasePlan(host, plan);
  });

  test('of a worker that ends go with it', async () => {
    const code = `
      const { binary, host, plan } = require('node:worker_threads').workerData;
      const addon = require(binary);
      for (let i = 0; i < 1_000; i += 1) addon.definePlan(host, plan);`;
    const binary = fileURLToPath(new URL('../../build/native/Release/postern.node', import.meta.url));
    const worker = new Worker(code, { eval: true, workerData: { binary, host, plan: NOTHING } });
    await expect(once(worker, 'exit')).resolves.toEqual([0]);
    const plans = Array.from({ length: 1_000 }, () => addon.definePlan(host, NOTHING));
    for (const plan of plans) addon.releasePlan(host, plan);
  });
});
