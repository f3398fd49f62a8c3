import type { Configuration } from '../policy/configuration.ts';
import { ruleUseKey } from './config-interface.ts';
import type { Finding } from './draft.ts';
import { findClassErrors } from './validate-classes.ts';
import { findPolicyErrors } from './validate-policies.ts';
import { findZoneErrors } from './validate-zones.ts';

/** Checks what can only be known at the end: a file may name a map before it defines it. */
export function findReferenceErrors(configuration: Configuration): readonly Finding[] {
  return [
    ...findMissingRules(configuration),
    ...findClassErrors(configuration),
    ...findPolicyErrors(configuration),
    ...findZoneErrors(configuration),
  ];
}

/** An interface whose rule is not there would let everything pass uninspected. */
function findMissingRules({ interfaces, rules }: Configuration): readonly Finding[] {
  const names = new Set(rules.map((rule) => rule.name));
  return interfaces.flatMap(({ name, inspectIn, inspectOut }) =>
    [
      { rule: inspectIn, direction: 'in' },
      { rule: inspectOut, direction: 'out' },
    ].flatMap(({ rule, direction }) =>
      rule === undefined || names.has(rule)
        ? []
        : [{ key: ruleUseKey(name, direction), message: `% inspection rule ${rule} is not defined` }],
    ),
  );
}
