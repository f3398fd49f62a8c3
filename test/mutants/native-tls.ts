import { type Guard, guardsOf } from './guard.ts';

/** Guards of what the native side reads of TLS: where a hello begins and ends, and what it says. */

const START = ['framer_tls_test.cc'];
const HELLO = ['tls_hello_test.cc'];
const LOOP = ['packet_loop_tls_test.cc', 'tls_hello_test.cc'];

const start: readonly Guard[] = [
  ...guardsOf('native/core/tls_start.cc', START, [
    [
      'tls-hello-bounded',
      'a hello is no longer than its limit, in however many records (limits.md)',
      'if (++seen_ > kTlsHelloBytesMax) return Answer::no;',
      '',
    ],
    [
      'tls-client-alone',
      'nothing shares the last record of a client hello (RFC 8446 4.1.2, CVE-2011-0411)',
      'return type_ == kTlsClientHello && record_left_ > 0 ? Answer::no : Answer::yes;',
      'return Answer::yes;',
    ],
    [
      'tls-alert-where-allowed',
      'an alert is no start of TLS but where a server may send one (RFC 8446 6)',
      'value == kAlertRecord && alerts_ && message_seen_ == 0;',
      'value == kAlertRecord && message_seen_ == 0;',
    ],
    [
      'tls-alert-length',
      'an alert is a record of two octets (RFC 8446 6)',
      'if (is_alert_) return record_length_ == kTlsAlertBytes;',
      'if (is_alert_) return true;',
    ],
    [
      'tls-alert-level',
      'with one of its two levels (RFC 8446 6)',
      'return is_level ? Answer::undecided : Answer::no;',
      'return Answer::undecided;',
    ],
    [
      'tls-record-type',
      'a stream of TLS begins with a handshake record (RFC 8446 5.1)',
      'return value == kHandshakeRecord || is_alert_;',
      'return true;',
    ],
    ['tls-record-major', 'of version 3 (RFC 8446 5.1)', 'return value == kVersionMajor;', 'return true;'],
    ['tls-record-minor', 'from SSL 3.0 to TLS 1.3 (RFC 8446 5.1)', 'return value <= kVersionMinorMax;', 'return true;'],
    [
      'tls-record-length',
      'a record is as long as records are, and never empty (RFC 8446 5.1)',
      'return record_length_ >= least && record_length_ <= kRecordBytesMax;',
      'return true;',
    ],
    [
      'tls-message-type',
      'the first message is a hello (RFC 8446 4.1)',
      'return value == kTlsClientHello || value == kTlsServerHello;',
      'return true;',
    ],
    [
      'tls-message-length',
      'as long as hellos are (RFC 5246 7.4.1.3)',
      'return message_length_ >= kTlsHelloBodyBytesMin && message_length_ < kTlsHelloBytesMax;',
      'return true;',
    ],
  ]),
  ...guardsOf('native/core/framer.cc', START, [
    [
      'tls-question-once',
      'a stream is asked once whether TLS begins (RFC 3207 4)',
      'if (reported_) return take(CutKind::need_more, bytes.size());\n  for',
      'for',
    ],
    [
      'tls-question-anew',
      'a question asked anew begins at the first octet (RFC 3207 4)',
      'tls_start_ = TlsStart(framing_.tolerant ? TlsStart::Alerts::yes : TlsStart::Alerts::no);',
      '',
    ],
  ]),
];

const hello: readonly Guard[] = [
  ...guardsOf('native/core/tls_hello.cc', HELLO, [
    [
      'tls-extension-twice',
      'no extension comes twice: two readers may each take another one (RFC 8446 4.2)',
      'reader.failed() || met.test(type) || ',
      'reader.failed() || ',
    ],
    [
      'tls-message-whole',
      'the length of a message is that of its body (RFC 8446 4)',
      'if (!reader.whole()) return std::nullopt;',
      'if (reader.failed()) return std::nullopt;',
    ],
    [
      'tls-extensions-whole',
      'nothing follows the extensions (RFC 8446 4.1.2)',
      'if (!body.whole() || !read_extensions(extensions, hello)) return std::nullopt;',
      'if (!read_extensions(extensions, hello)) return std::nullopt;',
    ],
    [
      'tls-extensions-read',
      'an extension that does not add up makes a hello none (RFC 8446 4.2)',
      'if (!body.whole() || !read_extensions(extensions, hello)) return std::nullopt;',
      'if (!body.whole() || (read_extensions(extensions, hello), false)) return std::nullopt;',
    ],
    [
      'tls-server-name-once',
      'a client names one server (RFC 6066 3)',
      'if (!hello.server_name.empty()) return false;',
      '',
    ],
    [
      'tls-server-name-length',
      'by a name as long as names are (RFC 1035 2.3.4)',
      ' || name.empty() || name.size() > kTlsServerNameBytesMax) return false;',
      ') return false;',
    ],
    [
      'tls-versions-highest',
      'the highest version is the one that counts (RFC 8446 4.2.1)',
      'hello.version = std::max(hello.version, version);',
      'hello.version = version;',
    ],
    [
      'tls-versions-known',
      'values that only keep the choice open are no versions (RFC 8701)',
      'if (version >> 8U == kVersionMajor) hello.version',
      'hello.version',
    ],
    [
      'tls-versions-instead',
      'supported_versions takes the place of the version of the hello (RFC 8446 4.2.1)',
      '  hello.version = 0;\n  for',
      '  for',
    ],
    [
      'tls-session-id',
      'a session id has 32 octets at most (RFC 8446 4.1.2)',
      'session_id.size() > kSessionIdBytesMax || ',
      '',
    ],
  ]),
  ...guardsOf('native/engine/hello.cc', LOOP, [
    [
      'tls-hello-of-this-side',
      "the hello of the other side's kind is none of this one (RFC 8446 4.1)",
      'const bool own = hello && (hello->type == kTlsClientHello) == (from == Side::initiator);',
      'const bool own = hello.has_value();',
    ],
    [
      'tls-hello-memory',
      'hellos under way take as much memory as may be (limits.md)',
      'if (octets.size() > kTlsHelloTotalBytesMax - hello_bytes_) return false;',
      '',
    ],
  ]),
];

export const NATIVE_TLS: readonly Guard[] = [...start, ...hello];
