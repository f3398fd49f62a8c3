/** A security rule of the product, and how to take it out: what the mutation check (run.ts) removes, one at a time. */
export interface Guard {
  /** Unique; what `npm run mutants -- NAME` takes. */
  readonly name: string;
  /** What holds because of it, with the section that asks for it. */
  readonly rule: string;
  /** The file that holds the rule, from the root of the repository. */
  readonly file: string;
  /** The text that makes the rule hold; it stands in the file exactly once. */
  readonly from: string;
  /** What stands in its place when the rule is taken out. Still compiles, or at least loads. */
  readonly to: string;
  /**
   * What must fail then: for TypeScript files of vitest, from the root of the repository; for native code files of
   * native/test, without their folder.
   */
  readonly tests: readonly string[];
}

/** Whether the rule lives in C++, and the native tests are what must fail. */
export function isNative({ file }: Pick<Guard, 'file'>): boolean {
  return file.startsWith('native/');
}

/** Guards of one file and its tests, each as [name, rule, from, to, its tests where they are others]. */
export type GuardRow = readonly [name: string, rule: string, from: string, to: string, tests?: readonly string[]];

export function guardsOf(file: string, tests: readonly string[], rows: readonly GuardRow[]): readonly Guard[] {
  return rows.map(([name, rule, from, to, own = tests]) => ({ name, rule, file, from, to, tests: own }));
}

/** How often the guard's text stands in its file. Anything but once: the code has moved, and the list must follow. */
export function occurrences({ from }: Pick<Guard, 'from'>, text: string): number {
  return text.split(from).length - 1;
}

/** The file without the rule. Throws when the text does not stand in it exactly once. */
export function mutate(guard: Guard, text: string): string {
  const found = occurrences(guard, text);
  if (found !== 1) throw new Error(`${guard.name}: its text stands ${found} times in ${guard.file}, not once`);
  return text.replace(guard.from, () => guard.to);
}
