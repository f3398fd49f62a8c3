import { smtp } from '../../src/protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import { runTranscripts } from './runner.ts';

runTranscripts({
  inspector: smtp,
  policy: { ...defaultSmtpPolicy, hostname: 'gw.example' },
  language: 'smtp',
  readPolicy: (overrides) =>
    Object.fromEntries(
      Object.entries(overrides).map(([name, value]) => [name, Array.isArray(value) ? new Set(value) : value]),
    ),
  folder: new URL('./smtp/', import.meta.url),
});
