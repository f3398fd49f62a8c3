import { type Guard, guardsOf } from './guard.ts';
import { NATIVE_MIME } from './native-mime.ts';

/** Guards of the native side that look into messages: the scan, pattern sets; of what a message is made of, `native-mime.ts`. */

const FLOW = ['content_flow_test.cc', 'content_cuts_test.cc'];
const SCAN = ['content_bodies_test.cc', 'content_fields_test.cc', 'content_limits_test.cc', ...FLOW];
const PATTERNS = ['pattern_set_test.cc', 'pattern_stream_test.cc'];

const flow: readonly Guard[] = [
  ...guardsOf('native/engine/framing.cc', FLOW, [
    [
      'content-finish-told',
      'what ends a message waits until the scan has told the rest (issue 4)',
      'if (content_waits(flow)) return write_content(index);',
      'if (content_waits(flow) && !flow.content->finishing) return write_content(index);',
    ],
    [
      'content-before-release',
      'octets in which something was found are judged before they leave (issue 4)',
      'if (found) return write_content(index);',
      '',
    ],
    [
      'content-before-end',
      "what stands before a frame's end is judged before its end is (issue 4)",
      'if (found && cut.kind != CutKind::need_more) {',
      'if (false) {',
    ],
  ]),
  ...guardsOf('native/engine/content_flow.cc', FLOW, [
    [
      'content-judge-silent',
      'facts that the judge does not answer end the flow (what fails, closes)',
      'flow.forward_wanted = true;',
      'flow.forward_wanted = false;',
    ],
    [
      'content-plan-known',
      'a plan that is not there ends the flow: its message is not let go unread (what fails, closes)',
      'if (scanner == nullptr) break;',
      'if (scanner == nullptr) return;',
    ],
    [
      'content-finish-found',
      'what stands at the end of a message is found (issue 4)',
      'flow.content->scan.finish();',
      '',
    ],
    [
      'content-scanned-once',
      'an octet is scanned once, however often it is framed (issue 4)',
      'const std::uint64_t begin = std::max(framed, content.seen);',
      'const std::uint64_t begin = framed;',
    ],
    [
      'content-finish-of-client',
      'only the frame that ends a message is put aside (issue 4)',
      'if (!flow.content || flow.event_side != Side::initiator) break;',
      'if (!flow.content) break;',
    ],
    [
      'content-plans-bounded',
      'as many plans are kept as may be (limits.md)',
      'if (plans_.size() >= kContentPlansMax) return 0;',
      '',
      [...FLOW, 'content_limits_test.cc'],
    ],
  ]),
];

const scan: readonly Guard[] = [
  ...guardsOf('native/engine/content_sink.cc', SCAN, [
    [
      'content-field-cut',
      'a field that says what a part is and was cut off is a limit (limits.md)',
      'if (field.truncated && (type || encoding) && wants_structure()) facts_.keep(ContentLimit::field);',
      '',
    ],
    [
      'content-header-field-cut',
      'so is a header field that is looked into',
      'return when(own, ContentLimit::field);',
      'return ContentLimit::none;',
    ],
    [
      'content-fields',
      'fields beyond those that are read are a limit (limits.md)',
      'return when(own || wants_structure(), ContentLimit::fields);',
      'return ContentLimit::none;',
    ],
    [
      'content-header',
      'a header beyond what is read is a limit (limits.md)',
      'return when(own || wants_structure(), ContentLimit::header);',
      'return ContentLimit::none;',
    ],
    [
      'content-parts',
      'parts beyond those that are walked are a limit (limits.md)',
      'return when(wants_structure(), ContentLimit::parts);',
      'return ContentLimit::none;',
    ],
    [
      'content-depth',
      'parts deeper than is walked are a limit (limits.md)',
      'return when(wants_structure(), ContentLimit::depth);',
      'return ContentLimit::none;',
    ],
    [
      'content-boundary',
      'boundaries that are not kept are a limit (limits.md)',
      'return when(wants_structure(), ContentLimit::boundary);',
      'return ContentLimit::none;',
    ],
    [
      'content-shown-field',
      'a field is looked into as it is shown, too (RFC 2047)',
      'if (!field.shown.empty()) hold(*plan_.header, field.shown, ids);',
      '',
    ],
    [
      'content-type-tokens',
      'a content type is looked into without its comments and blanks, too (RFC 2045 5.1)',
      'if (!tokens.empty() && tokens != value) hold(*plan_.content_type, tokens, ids);',
      '',
    ],
    [
      'content-cut-header',
      'a header that a boundary cut off goes on (RFC 2046 5.1.1)',
      'if (part == 0 && anomaly == MimeAnomaly::header_unterminated) own_header_cut_ = true;',
      '',
    ],
    [
      'content-part-ends',
      'what stands at the end of a part is found (issue 4)',
      'close(enter(part));',
      'static_cast<void>(enter(part));',
    ],
  ]),
  ...guardsOf('native/engine/content_bodies.cc', SCAN, [
    [
      'content-streams',
      'a body for which there is no stream is a limit, not a body without matches (limits.md)',
      'facts_.keep(ContentLimit::streams);\n    return;',
      'return;',
    ],
    [
      'content-engine-failed',
      'a scan that fails is a limit (what fails, closes)',
      'if (end == ScanEnd::failed) facts_.keep(ContentLimit::engine);',
      '',
      ['content_engine_test.cc'],
    ],
    [
      'content-matches-bounded',
      'more matches than are kept are a limit (limits.md)',
      'if (end == ScanEnd::full) facts_.keep(ContentLimit::facts);',
      '',
    ],
    [
      'content-decoded',
      'decoded text is looked into (issue 4, body regex decoded)',
      'facts_.keep(part.number, ContentFactKind::decoded, match.id);',
      '',
    ],
    [
      'content-as-is-decoded',
      'text that needs no decoding is decoded text (issue 4, body regex decoded)',
      'if (text == ContentText::as_is && memory_.decoded) scan(part, ContentText::as_is_decoded, octets);',
      '',
    ],
  ]),
  ...guardsOf('native/engine/content_facts.cc', SCAN, [
    [
      'content-facts-bounded',
      'facts beyond those that are kept are a limit (limits.md)',
      'end_with(ContentLimit::facts);\n    return;',
      'return;',
    ],
    [
      'content-text-clipped',
      'names that a stranger chose are told short (log injection)',
      'const std::string_view clipped = text.substr(0, kTextBytesMax);',
      'const std::string_view clipped = text;',
    ],
  ]),
  ...guardsOf('native/engine/content_scan.cc', SCAN, [
    [
      'content-lengths-exact',
      'a length is passed by one octet, however the octets come (design.md, principle 4)',
      'if (missing < step) step = missing + 1;',
      '',
    ],
  ]),
];

const patterns: readonly Guard[] = [
  ...guardsOf('native/core/pattern_set.cc', PATTERNS, [
    [
      'patterns-bounded',
      'a set has as many patterns as may be (limits.md)',
      'if (patterns.size() > options.patterns_max) {',
      'if (false) {',
    ],
    [
      'patterns-database-bounded',
      'and a database as large as may be (limits.md)',
      'if (database_bytes_ > options.database_bytes_max) {',
      'if (false) {',
    ],
    [
      'patterns-stream-bounded',
      'and a state a stream as large as may be (limits.md)',
      'if (stream_bytes_ > options.stream_bytes_max) {',
      'if (false) {',
    ],
  ]),
  ...guardsOf('native/core/pattern_set_expression.cc', PATTERNS, [
    [
      'patterns-expression-bounded',
      'a pattern is as long as may be (limits.md)',
      'if (expression.size() > kPatternExpressionBytesMax) {',
      'if (false) {',
    ],
    [
      'patterns-nul',
      'a pattern is not cut off at a NUL (the engine takes C strings)',
      'return nul == std::string::npos ? answer : refused(',
      'return true ? answer : refused(',
    ],
  ]),
  ...guardsOf('native/core/pattern_set_scan.cc', PATTERNS, [
    [
      'patterns-matches-bounded',
      'a scan that finds more than has room says so (limits.md)',
      'listener.full = listener.full || !listener.matches.add({id, to});',
      'static_cast<void>(listener.matches.add({id, to}));',
    ],
    [
      'patterns-streams-bounded',
      'as many streams are open as may be (limits.md)',
      'if (first_free_ == kNoPatternStream && slots_.size() < streams_max_) add_slot();',
      'if (first_free_ == kNoPatternStream) add_slot();',
    ],
    [
      'patterns-scan-failed',
      'a scan that failed is told as such (what fails, closes)',
      'return end == HS_SCAN_TERMINATED ? ScanEnd::full : ScanEnd::failed;',
      'return ScanEnd::done;',
    ],
  ]),
];

export const NATIVE_CONTENT: readonly Guard[] = [...flow, ...scan, ...NATIVE_MIME, ...patterns];
