import { imap } from '../../src/protocols/imap/machine.ts';
import { runTranscripts } from './runner.ts';

runTranscripts({
  inspector: imap,
  policy: { secureLogin: false, reset: false, hostname: 'fw.example' },
  language: 'imap',
  folder: new URL('./imap/', import.meta.url),
});
