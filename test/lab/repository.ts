import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the sources, also for code that runs from the build folder. */
export const REPOSITORY = (() => {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package-lock.json'))) {
    if (folder === dirname(folder)) throw new Error('no package-lock.json above the lab');
    folder = dirname(folder);
  }
  return folder;
})();

export const inRepository = (...parts: readonly string[]) => join(REPOSITORY, ...parts);
