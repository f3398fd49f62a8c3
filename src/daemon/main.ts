import { queueHashKey } from '../netfilter/host-key.ts';
import { installRules, RulesError, removeRules } from '../netfilter/install.ts';
import { rulesFor } from '../netfilter/rules.ts';
import { removeSynProxy } from '../netfilter/syn-proxy.ts';
import { ConfigurationError, loadConfiguration } from './configuration-file.ts';
import { workerCount } from './daemon.ts';
import { parseReplayOptions, parseRulesOptions, parseRunOptions, UsageError } from './options.ts';
import { replay } from './replay.ts';
import { run } from './run.ts';

/**
 * The subcommands that are not exec commands. Each answers the exit code: 0 done, 1 refused or failed, 2 wrong usage.
 */
export function runDaemon(argv: readonly string[]): Promise<number> {
  return withErrors(() => run(parseRunOptions(argv)));
}

export function runRules(argv: readonly string[]): Promise<number> {
  return withErrors(async () => {
    const { action, config, queue } = parseRulesOptions(argv);
    if (action === 'remove') {
      await removeRules();
      // A daemon that was killed while the kernel answered for a server leaves this too.
      const refusal = await removeSynProxy();
      if (refusal !== undefined) throw new RulesError(refusal);
      return 0;
    }
    const { configuration } = loadConfiguration(config);
    const workers = workerCount(configuration);
    const texts = rulesFor({ configuration, firstQueue: queue, workers, hashKey: queueHashKey() });
    if (action === 'install') await installRules(texts);
    else
      process.stdout.write(`# iptables-restore --noflush\n${texts.ipv4}\n# ip6tables-restore --noflush\n${texts.ipv6}`);
    return 0;
  });
}

export function runReplay(argv: readonly string[]): Promise<number> {
  return withErrors(async () => {
    await replay(parseReplayOptions(argv), (line) => process.stdout.write(`${line}\n`));
    return 0;
  });
}

async function withErrors(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConfigurationError) {
      process.stderr.write(`${error.errors.join('\n')}\n`);
      return 1;
    }
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`% ${message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}
