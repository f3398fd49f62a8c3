import { describe, expect, test } from 'vitest';
import {
  applicationSmtp,
  configurationOf,
  Desk,
  ENVELOPE,
  environmentOf,
  GREETING,
  MAPS,
  type PolicyText,
  refused,
  single,
  smtpDesk,
  smtpPolicyOf,
} from '../../../test/transcripts/application-policy.ts';
import { patternPlanOf } from './patterns.ts';

describe('conditions of the envelope', () => {
  test('a sender is refused with its line', () => {
    const desk = smtpDesk(single('sender address regex DEALS', 'reset, log'));
    expect(desk.say(...GREETING, 'C: MAIL FROM:<a@hotdeals.com> SIZE=5')).toBe(
      refused('policy-sender', 'class C SENDER_ADDR_MATCHED resetting, '),
    );
    expect(desk.last).toContainEqual({
      kind: 'classMatched',
      hit: {
        policy: 'P',
        class: 'C',
        event: 'SENDER_ADDR_MATCHED',
        detail: 'a@hotdeals.com',
        verb: 'resetting',
        log: true,
        shadow: false,
        bytes: 33,
      },
    });
  });

  test('the client reads why, under our name', () => {
    const desk = smtpDesk(single('sender address regex DEALS', 'reset'));
    desk.say(...GREETING, 'C: MAIL FROM:<a@hotdeals.com>');
    expect(desk.last.at(-1)).toEqual({
      kind: 'refuse',
      reason: 'policy-sender',
      how: 'words',
      words: '554 5.7.1 gw.example refused: the sender address is not accepted here\r\n',
    });
  });

  test('another sender is not, nor a recipient or a parameter of that name', () => {
    const desk = smtpDesk(single('sender address regex DEALS', 'reset'));
    expect(desk.say(...GREETING, 'C: MAIL FROM:<a@b.example> AUTH=x@deals.com', 'S: 250 ok')).toBe('forward');
    expect(desk.say('C: RCPT TO:<a@hotdeals.com>')).toBe('forward');
  });

  test('a recipient is found in its address and in each host of a source route', () => {
    const routed = { maps: { HOST: ['@relay\\.example'] } };
    const policy = single('recipient address regex HOST', 'reset', routed);
    const begin = [...GREETING, 'C: MAIL FROM:<a@relay.example>', 'S: 250 ok'];
    expect(smtpDesk(policy).say(...begin, 'C: RCPT TO:<@a.example,@relay.example:u@c.example>')).toBe(
      refused('policy-recipient', 'class C RECIPIENT_ADDR_MATCHED resetting, '),
    );
    expect(smtpDesk(policy).say(...begin, 'C: RCPT TO:<@a.example:u@c.example>')).toBe('forward');
  });

  test('the count of recipients fires at the one beyond it, over all messages of a connection', () => {
    const desk = smtpDesk(single('recipient count gt 2', 'log'));
    const rcpt = ['C: RCPT TO:<u@c.example>', 'S: 250 ok'];
    expect(desk.say(...ENVELOPE, 'C: RCPT TO:<v@c.example>')).toBe('forward');
    desk.say('S: 250 ok', 'C: RSET', 'S: 250 ok', 'C: MAIL FROM:<a@b.example>', 'S: 250 ok');
    expect(desk.say('C: RCPT TO:<w@c.example>')).toBe('forward, class C RECIPIENT_COUNT logging');
    expect(desk.last.find(({ kind }) => kind === 'classMatched')).toMatchObject({ hit: { detail: '3 recipients' } });
    // It is told once.
    expect(desk.say('S: 250 ok', ...rcpt, 'C: RCPT TO:<x@c.example>')).toBe('forward');
  });

  test('or begins anew with each message', () => {
    const desk = smtpDesk(single('recipient count gt 2', 'log', { recipientCount: 'message' }));
    const hit = 'forward, class C RECIPIENT_COUNT logging';
    desk.say(...ENVELOPE, 'C: RCPT TO:<v@c.example>', 'S: 250 ok', 'C: RSET', 'S: 250 ok');
    expect(desk.say('C: MAIL FROM:<a@b.example>', 'S: 250 ok', 'C: RCPT TO:<u@c.example>')).toBe('forward');
    expect(desk.say('S: 250 ok', 'C: RCPT TO:<u@c.example>', 'S: 250 ok', 'C: RCPT TO:<u@c.example>')).toBe(hit);
    desk.say('S: 250 ok', 'C: RSET', 'S: 250 ok', 'C: MAIL FROM:<a@b.example>', 'S: 250 ok');
    desk.say('C: RCPT TO:<u@c.example>', 'S: 250 ok', 'C: RCPT TO:<u@c.example>', 'S: 250 ok');
    expect(desk.say('C: RCPT TO:<u@c.example>')).toBe(hit);
  });

  test('a MAIL that the server refuses as nested starts no new count', () => {
    const desk = smtpDesk(single('recipient count gt 1', 'reset', { recipientCount: 'message' }));
    desk.say(...ENVELOPE, 'C: MAIL FROM:<a@b.example>', 'S: 503 nested');
    expect(desk.say('C: RCPT TO:<v@c.example>')).toContain('refuse policy-recipient-count');
  });

  test('a count that an earlier class hid is told at the next recipient', () => {
    const desk = smtpDesk({
      maps: MAPS,
      classes: { TRAP: ['match-all', 'recipient address regex TRAP'], MANY: ['match-all', 'recipient count gt 1'] },
      policy: { TRAP: 'log', MANY: 'reset' },
    });
    expect(desk.say(...ENVELOPE, 'C: RCPT TO:<trap@c.example>')).toBe(
      'forward, class TRAP RECIPIENT_ADDR_MATCHED logging',
    );
    expect(desk.say('S: 250 ok', 'C: RCPT TO:<v@c.example>')).toContain('refuse policy-recipient-count');
  });

  test('refused recipients are counted by their answers, and the client hears at its next line', () => {
    const desk = smtpDesk(single('recipient invalid count gt 1', 'reset'));
    desk.say(...ENVELOPE, 'C: RCPT TO:<x@c.example>', 'C: RCPT TO:<y@c.example>', 'C: RCPT TO:<z@c.example>');
    expect(desk.say('S: 550 5.1.1 no')).toBe('forward');
    expect(desk.say('S: 450 4.2.0 later')).toBe('forward');
    expect(desk.say('S: 550 5.1.1 no')).toBe('forward, class C RECIPIENT_INVALID_COUNT resetting');
    expect(desk.begin('D')).toBe(refused('policy-recipient-invalid'));
    expect(desk.say('C: DATA')).toBe(refused('policy-recipient-invalid'));
  });
});

describe('conditions of command lines', () => {
  test('a verb is refused as soon as it is there', () => {
    const desk = smtpDesk(single('cmd verb ETRN', 'reset'));
    desk.say(...GREETING);
    expect(desk.begin('ETRN')).toBe('forward');
    const hit = 'class C CMD_VERB resetting, ';
    expect(desk.begin('etrn ')).toBe(refused('policy-command', hit));
    expect(desk.say('C: ETRN x')).toBe(refused('policy-command', hit));
    expect(desk.say('C: ETRN')).toBe(refused('policy-command', hit));
  });

  test('another verb that begins so is not', () => {
    const desk = smtpDesk(single('cmd verb XETR', 'reset'));
    expect(desk.say(...GREETING, 'C: XETRN x')).toBe('forward');
  });

  test('a line is too long at the octet beyond its length', () => {
    const desk = smtpDesk(single('cmd line length gt 20', 'reset'));
    desk.say(...GREETING);
    expect(desk.begin('MAIL FROM:<abc@d.ex>')).toBe('forward');
    expect(desk.say('C: MAIL FROM:<abc@d.ex>', 'S: 250 ok')).toBe('forward');
    expect(desk.begin('MAIL FROM:<abcd@e.ex>')).toContain('refuse policy-line-length');
  });

  test('a length waits while the verb of an earlier class may yet come', () => {
    const desk = smtpDesk({
      classes: { A: ['match-any', 'cmd verb EHLO'], B: ['match-any', 'cmd line length gt 3'] },
      policy: { A: 'allow', B: 'reset' },
    });
    desk.say('S: 220 hi');
    expect(desk.begin('EHLO')).toBe('forward');
    expect(desk.say('C: EHLO c.example')).toBe('forward, class A CMD_VERB allowing');
    expect(desk.begin('EHLOX ')).toContain('refuse policy-line-length');
  });

  test('a line under way is no hit where it is only logged', () => {
    const desk = smtpDesk(single('cmd line length gt 20', 'log'));
    desk.say(...GREETING);
    expect(desk.begin('MAIL FROM:<abcde@f.example>')).toBe('forward');
    expect(desk.say('C: MAIL FROM:<abcde@f.example>')).toBe('forward, class C CMD_LINE_LENGTH logging');
  });

  test('verb and length together (match-all) need both', () => {
    const policy = single('cmd verb MAIL', 'reset', {
      classes: { C: ['match-all', 'cmd verb MAIL', 'cmd line length gt 20'] },
    });
    const desk = smtpDesk(policy);
    expect(desk.say(...GREETING, 'C: NOOP 12345678901234567890')).toBe('forward');
    expect(desk.say('S: 250 ok', 'C: MAIL FROM:<abc@d.ex>')).toBe('forward');
    expect(smtpDesk(policy).say(...GREETING, 'C: MAIL FROM:<abcd@e.ex>')).toContain('refuse policy-command');
  });

  test('of a verb that is masked the policy tells with the line', () => {
    const desk = smtpDesk(single('cmd verb ETRN', 'mask, log'));
    expect(desk.say(...GREETING, 'C: ETRN x')).toBe('mask "xxxxxx" smtp-command, class C CMD_VERB masking');
  });

  test('what the machine refuses is told by nobody else', () => {
    const desk = smtpDesk(single('cmd verb NOOP', 'log'));
    expect(desk.say(...GREETING, 'C: NOOP a\x01b')).not.toContain('class');
  });

  test('what the policy refuses at an earlier octet than the machine is refused by the policy', () => {
    const desk = smtpDesk(single('cmd verb NOOP', 'reset'));
    desk.say(...GREETING);
    expect(desk.say('C: NOOP a\x01b')).toContain('refuse policy-command');
    expect(desk.say('C: NO\x01OP ab')).not.toContain('policy-command');
  });
});

describe('answers of the server', () => {
  const ehlo = ['S: 220 mx', 'C: EHLO c', 'S: 250-mx'];

  test('a keyword is told, and refused at the next octets of the client', () => {
    const desk = smtpDesk(single('reply ehlo ETRN', 'reset, log'));
    expect(desk.say(...ehlo, 'S: 250-SIZE 5')).toBe('forward');
    expect(desk.say('S: 250 ETRN')).toBe('forward, class C EHLO_REPLY resetting');
    expect(desk.begin('M')).toBe(refused('policy-ehlo'));
  });

  test('a keyword is masked with its parameters', () => {
    const desk = smtpDesk(single('reply ehlo XFOO', 'mask, log'));
    expect(desk.say(...ehlo, 'S: 250-XFOO bar')).toBe('mask "250-XXXXXXXX" ehlo-keyword, class C EHLO_REPLY masking');
    expect(desk.say('S: 250 SIZE')).toBe('forward');
  });

  test('the name of the server is no keyword', () => {
    const desk = smtpDesk(single('reply ehlo MX', 'reset'));
    expect(desk.say('S: 220 mx', 'C: EHLO c', 'S: 250 mx', 'C: NOOP')).toBe('forward');
  });
});

describe('the connection', () => {
  test('match protocol smtp holds once, before the first line', () => {
    const desk = smtpDesk(single('protocol smtp', 'log'));
    expect(desk.say('S: 220 mx')).toBe('forward');
    expect(desk.begin('E')).toBe('forward');
    expect(desk.say('C: EHLO c')).toBe('forward, class C CONNECTION logging');
    expect(desk.say('S: 250 mx', 'C: NOOP')).toBe('forward');
  });

  test('a learned client is refused at its first octet', () => {
    const options = { learned: { client: (address: string) => address === '192.0.2.1' } };
    const policy = single('client learned', 'reset');
    const desk = smtpDesk(policy, { ...options, client: '192.0.2.1' });
    desk.say('S: 220 mx');
    expect(desk.begin('E')).toBe(refused('policy-learned', 'class C CLIENT_LEARNED resetting, '));
    expect(desk.say('C: EHLO c')).toBe(refused('policy-learned', 'class C CLIENT_LEARNED resetting, '));
    expect(smtpDesk(policy, { ...options, client: '192.0.2.2' }).say('S: 220 mx', 'C: EHLO c')).toBe('forward');
  });
});

describe('learning', () => {
  const honeypot = single('recipient address regex TRAP', 'learn sender for 60');

  test('records the sender of the message', () => {
    expect(smtpDesk(honeypot).say(...ENVELOPE, 'C: RCPT TO:<trap@c.example>')).toBe(
      'forward, class C RECIPIENT_ADDR_MATCHED learning, learn a@b.example',
    );
  });

  test('a nested MAIL does not hide who sent', () => {
    const desk = smtpDesk(honeypot);
    desk.say(...ENVELOPE, 'C: MAIL FROM:<friend@d.example>', 'S: 503 nested');
    expect(desk.say('C: RCPT TO:<trap@c.example>')).toContain('learn a@b.example');
    expect(desk.last.find(({ kind }) => kind === 'learn')).toMatchObject({ minutes: 60 });
  });

  test('not of a bounce, and not in shadow', () => {
    const bounce = [...GREETING, 'C: MAIL FROM:<>', 'S: 250 ok', 'C: RCPT TO:<trap@c.example>'];
    expect(smtpDesk(honeypot).say(...bounce)).not.toContain('learn ');
    const shadow = single('recipient address regex TRAP', 'learn sender, shadow');
    expect(smtpDesk(shadow).say(...ENVELOPE, 'C: RCPT TO:<trap@c.example>')).toBe(
      'forward, class C RECIPIENT_ADDR_MATCHED shadow learning',
    );
  });

  test('a learned address or domain is refused, the null path never', () => {
    const learned = {
      sender: (address: string) => address !== 'c@d.example',
      domain: (name: string) => name === 'e.example',
    };
    const refuses = (match: string, sender: string): boolean =>
      smtpDesk(single(match, 'reset'), { learned })
        .say(...GREETING, `C: MAIL FROM:<${sender}>`)
        .includes('refuse policy-learned');
    expect(refuses('sender learned', 'a@b.example')).toBe(true);
    expect(refuses('sender learned', 'c@d.example')).toBe(false);
    expect(refuses('sender learned', '')).toBe(false);
    expect(refuses('sender learned domain', 'x@e.example')).toBe(true);
    expect(refuses('sender learned domain', 'x@b.example')).toBe(false);
    expect(refuses('sender learned domain', '')).toBe(false);
  });
});

describe('order and actions', () => {
  const two = (first: string, second: string): PolicyText => ({
    maps: MAPS,
    classes: {
      A: ['match-any', 'sender address regex DEALS', 'recipient address regex TRAP'],
      B: ['match-any', 'sender address regex DEALS', 'cmd verb MAIL'],
    },
    policy: { A: first, B: second },
  });
  const mail = [...GREETING, 'C: MAIL FROM:<a@deals.com>'];

  test('the first class that matches decides this event', () => {
    expect(smtpDesk(two('log', 'log')).say(...mail)).toBe('forward, class A SENDER_ADDR_MATCHED logging');
    // The verb is known before the sender is, but the class before it is not.
    const desk = smtpDesk(two('log', 'reset'));
    desk.say(...GREETING);
    expect(desk.begin('MAIL FROM:')).toBe('forward');
    expect(desk.say('C: MAIL FROM:<a@deals.com>')).toBe('forward, class A SENDER_ADDR_MATCHED logging');
    expect(smtpDesk(two('log', 'reset')).say(...GREETING, 'C: MAIL FROM:<a@b.example>')).toContain(
      'class B CMD_VERB resetting, refuse policy-command',
    );
  });

  test('logging does not stop later events', () => {
    const desk = smtpDesk(two('log', 'log'));
    desk.say(...mail);
    expect(desk.say('S: 250 ok', 'C: RCPT TO:<trap@c.example>')).toBe(
      'forward, class A RECIPIENT_ADDR_MATCHED logging',
    );
  });

  test('allow keeps later classes from this event', () => {
    expect(smtpDesk(two('allow', 'reset')).say(...mail)).toBe('forward, class A SENDER_ADDR_MATCHED allowing');
  });

  test('shadow tells what would have been, and takes the place of no other class', () => {
    expect(smtpDesk(two('reset, shadow', 'log')).say(...mail)).toBe(
      'forward, class A SENDER_ADDR_MATCHED shadow resetting, class B SENDER_ADDR_MATCHED logging',
    );
    expect(smtpDesk(two('allow, shadow', 'reset')).say(...mail)).toContain('refuse policy-');
  });

  test('what shadow would have done is logged without the action log', () => {
    const desk = smtpDesk(single('sender address regex DEALS', 'reset, shadow'));
    desk.say(...mail);
    expect(desk.last.find(({ kind }) => kind === 'classMatched')).toMatchObject({ hit: { log: true, shadow: true } });
  });

  test('a reset without log is logged by its refusal alone', () => {
    const desk = smtpDesk(single('sender address regex DEALS', 'reset'));
    desk.say(...mail);
    expect(desk.last.find(({ kind }) => kind === 'classMatched')).toMatchObject({ hit: { log: false } });
  });

  test('classes without an action, or with inspect alone, and class-default are passed over', () => {
    const desk = smtpDesk({
      maps: MAPS,
      classes: {
        NONE: ['match-all', 'sender address regex DEALS'],
        ON: ['match-all', 'protocol smtp'],
        LAST: ['match-all', 'sender address regex DEALS'],
      },
      policy: { NONE: '', ON: 'inspect', LAST: 'log', 'class-default': 'reset' },
    });
    expect(desk.say(...mail)).toBe('forward, class LAST SENDER_ADDR_MATCHED logging');
  });

  test('a class without matches matches nothing', () => {
    for (const combine of ['match-all', 'match-any']) {
      const desk = smtpDesk({ classes: { C: [combine] }, policy: { C: 'reset' } });
      expect(desk.say(...ENVELOPE)).toBe('forward');
    }
  });
});

describe('what nobody looks at', () => {
  test('costs no question, and the answer of the machine is handed on as it is', () => {
    const text = single('body regex MARK', 'log');
    const environment = environmentOf(patternPlanOf(configurationOf(text)));
    const desk = new Desk(applicationSmtp, { ...smtpPolicyOf(text), environment });
    desk.say(...ENVELOPE);
    expect(environment.asked).toEqual([]);
    const step = applicationSmtp.step(
      desk.state,
      { kind: 'partial', from: 'initiator', text: 'DA' },
      smtpPolicyOf(text),
    );
    expect(step.state).toBe(desk.state);
  });

  test('an address is asked about once', () => {
    const text = single('sender address regex DEALS', 'log');
    const environment = environmentOf(patternPlanOf(configurationOf(text)));
    const desk = new Desk(applicationSmtp, { ...smtpPolicyOf(text), environment });
    desk.say(...ENVELOPE);
    expect(environment.asked).toEqual(['sender a@b.example']);
  });
});
