import { pop3 } from '../../src/protocols/pop3/machine.ts';
import { runTranscripts } from './runner.ts';

runTranscripts({
  inspector: pop3,
  policy: { secureLogin: false, reset: false, hostname: 'fw.example' },
  language: 'pop3',
  folder: new URL('./pop3/', import.meta.url),
});
