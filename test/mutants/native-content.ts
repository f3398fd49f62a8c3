import { type Guard, guardsOf } from './guard.ts';

/** Guards of the native side that look into messages: the scan, the MIME walk, decoding, pattern sets. */

const FLOW = ['content_flow_test.cc', 'content_cuts_test.cc'];
const SCAN = ['content_bodies_test.cc', 'content_fields_test.cc', 'content_limits_test.cc', ...FLOW];
const MIME = [
  'mime_header_test.cc',
  'mime_header_anomalies_test.cc',
  'mime_body_anomalies_test.cc',
  'mime_shapes_test.cc',
  'mime_budget_test.cc',
];
const DECODING = ['transfer_decoding_test.cc', ...MIME];
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

const mime: readonly Guard[] = [
  ...guardsOf('native/core/mime_walk_field.cc', MIME, [
    [
      'mime-repeated-type',
      'of several Content-Type fields each counts (readers differ)',
      'if (summary_.typed) note(MimeAnomaly::duplicate_content_type);',
      'if (summary_.typed) return;',
    ],
    [
      'mime-repeated-encoding',
      'of several Content-Transfer-Encoding fields each counts (readers differ)',
      'if (summary_.encoded) note(MimeAnomaly::duplicate_encoding);',
      'if (summary_.encoded) return;',
    ],
    [
      'mime-encoded-words',
      'encoded words are shown decoded (RFC 2047)',
      'const bool decoded = decode_encoded_words(line.value, scratch_);',
      'const bool decoded = false;',
      [...MIME, 'encoded_words_test.cc'],
    ],
    ['mime-depth', 'no part is walked deeper than may be (limits.md)', 'if (level() >= kMimeDepthMax) return;', ''],
  ]),
  ...guardsOf('native/core/mime_walk_field.cc', MIME, [
    [
      'mime-nul-in-field',
      'of a field with a NUL what stands before it counts, too: Postfix drops the rest of the line (readers differ)',
      'if (nul_in_field_ && named) tell_field(cut_, true);',
      '',
    ],
  ]),
  ...guardsOf('native/core/mime_header_content_type.cc', MIME, [
    [
      'mime-empty-piece',
      'an empty piece of a boundary ends it not (RFC 2231 3)',
      'if (!piece) break;',
      'if (!piece || piece->empty()) break;',
    ],
    [
      'mime-open-quote',
      'a quote that does not end is of the boundary to some readers (readers differ)',
      "parameter.readings[3] = '\"' + std::string(text.raw);",
      '',
    ],
  ]),
  ...guardsOf('native/core/mime_walk_lasting.cc', MIME, [
    [
      'mime-lasting-header',
      'encoded text behind a line that ends the header for some is decoded, too (readers differ)',
      'sink_->lasting_begin(node().number);\n  lasting_.start_lasting(codings);',
      '',
      ['mime_lasting_test.cc', 'content_bodies_test.cc'],
    ],
    [
      'mime-lasting-boundary',
      'and behind a line that is a boundary line to some alone (RFC 2046 5.1.1)',
      'sink_->lasting_begin(node().number);\n    lasting_.last(decoders_);',
      '',
      ['mime_lasting_test.cc', 'content_bodies_test.cc'],
    ],
  ]),
  ...guardsOf('native/engine/content_bodies.cc', SCAN, [
    [
      'content-padless-text',
      'and what a reader decodes to which padding of base64 is nothing (readers differ)',
      'scan(padless_, ContentText::base64, octets);',
      '',
    ],
    [
      'content-padless-copy',
      'from what was decoded before it (readers differ)',
      'padless_.streams[at] = streams_of(ContentText::base64).copy(part.streams[at]);',
      'padless_.streams[at] = streams_of(ContentText::base64).open();',
    ],
    [
      'content-lasting-text',
      'what such a reader decodes is held against the patterns (readers differ)',
      'scan(lasting_, text_of(coding), octets);',
      '',
    ],
  ]),
  ...guardsOf('native/core/mime_walk.cc', MIME, [
    [
      'mime-nested-boundaries',
      'a boundary of an outer part ends the inner ones (RFC 2046 5.1.2)',
      'while (level() > hit.level) end_part();',
      '',
    ],
    [
      'mime-guessed-boundary',
      'where no boundary was given the first line that looks like one is taken (readers differ)',
      'if (mode_ == Mode::header || hit.match != BoundaryMatch::none || !node().guess) return hit;',
      'return hit;',
    ],
    [
      'mime-parts',
      'no more parts are walked than may be (limits.md)',
      'if (parts_ == kMimePartsMax) {',
      'if (false) {',
    ],
    [
      'mime-doubtful-part',
      'a part that only some readers see is told as text, too (readers differ)',
      'const bool doubt = hit.match == BoundaryMatch::odd ||\n                     (hit.match == BoundaryMatch::open && nodes_[hit.level].closed);',
      'const bool doubt = false;',
    ],
    [
      'mime-header-cut',
      'a boundary in a header ends it (RFC 2046 5.1.1)',
      'while (mode_ == Mode::header) end_header();\n  }\n  const bool doubt',
      '}\n  const bool doubt',
    ],
  ]),
  ...guardsOf('native/core/mime_walk_boundaries.cc', MIME, [
    [
      'mime-odd-boundary',
      'a boundary with something behind it is one to some readers (readers differ)',
      'return text == "--" ? BoundaryMatch::close : BoundaryMatch::odd;',
      'return text == "--" ? BoundaryMatch::close : BoundaryMatch::none;',
    ],
    [
      'mime-longest-boundary',
      'of two boundaries of which one begins the other, the longer is meant (RFC 2046 5.1.2)',
      '(whole == held_whole && boundary.size() > length)',
      'false',
    ],
    [
      'mime-boundaries-bounded',
      'as many boundaries are kept as may be (limits.md)',
      'if (entries_.size() == kMimeBoundariesMax) return false;',
      '',
    ],
  ]),
  ...guardsOf('native/core/mime_walk_header.cc', MIME, [
    ['mime-folding', 'a folded line goes on with its field (RFC 5322 2.2.3)', 'if (continuation_) return;', ''],
    [
      'mime-fields',
      'no more fields are read than may be (limits.md)',
      'if (!raw_ && all_fields_ >= kMimeFieldsMax) {',
      'if (false) {',
    ],
    [
      'mime-header-bytes',
      'no more of headers is read than may be (limits.md)',
      'if (!raw_ && all_header_octets_ >= kMimeHeaderBytesMax) {',
      'if (false) {',
    ],
    [
      'mime-header-in-doubt',
      'behind a line that is no field, text and header are both told (readers differ)',
      'if (line.name_legal) return;',
      'return;',
    ],
    [
      'mime-empty-bare-lf',
      'an empty line that ends in a bare LF ends a header of CRLF lines for some (readers differ)',
      'if (crlf_seen_) {',
      'if (false) {',
    ],
    [
      'mime-field-beyond',
      'what is beyond the budget of a field goes on as text (limits.md)',
      'if (!told) echo(rest);',
      '',
    ],
  ]),
  ...guardsOf('native/core/mime_walk_parts.cc', MIME, [
    [
      'mime-message-in-message',
      'a message in a message is walked (RFC 2046 5.2.1)',
      'if (part.kind == MimeKind::message) open_part(false, false);',
      '',
    ],
    [
      'mime-missing-boundary',
      'a multipart without a boundary has one to be guessed (readers differ)',
      'part.guess = part.kind == MimeKind::multipart && !boundaries_.has(level());',
      'part.guess = false;',
    ],
    [
      'mime-inherited-encoding',
      'what a multipart wrongly says of its encoding holds for its parts (readers differ)',
      'part.codings = node().codings;',
      '',
    ],
  ]),
  ...guardsOf('native/core/transfer_decoding.cc', DECODING, [
    [
      'qp-soft-breaks',
      'a soft line break joins lines: no pattern hides behind it (RFC 2045 6.7)',
      'if (octet == kLf) {\n    blanks_ = 0;',
      'if (false) {\n    blanks_ = 0;',
    ],
    [
      'qp-blanks-behind-equals',
      'also with blanks behind its equals sign (RFC 2045 6.7)',
      'const bool blank = octet == kSpace || octet == kTab;',
      'const bool blank = false;',
    ],
    [
      'base64-goes-on',
      'base64 goes on behind its padding: some decoders do (readers differ)',
      '} else if (value == kPad) {\n      pad();',
      '} else if (value == kPad) {\n      pad();\n      done.taken = in.size();',
    ],
    [
      'base64-padding-nothing',
      'padding that is not the end is nothing to PHP and Python: their reading goes on with the group before (readers differ)',
      'other.digits_ = kept_digits_;',
      '',
      ['mime_lasting_test.cc', 'content_bodies_test.cc'],
    ],
    [
      'base64-odd-octets',
      'octets that are no base64 are passed over (RFC 2045 6.8)',
      '} else if (value == kNone) {\n      illegal_ = true;',
      '} else if (value == kNone) {\n      done.taken = in.size();',
    ],
  ]),
  ...guardsOf(
    'native/core/dot_unstuffing.cc',
    [...SCAN, ...MIME],
    [
      [
        'data-unstuffed',
        'patterns see lines without the dots of stuffing (RFC 5321 4.5.2)',
        'if (at == octets.size() || octets[at] == kDot) {',
        'if (false) {',
      ],
      [
        'data-unstuffed-bare-lf',
        'and without those behind a bare LF: Postfix and Exim leave them out (readers differ)',
        'state_ = crlf ? State::line_start : State::loose_start;',
        'state_ = crlf ? State::line_start : State::text;',
      ],
      [
        'data-ends-with-crlf',
        'a dot behind a bare LF ends no data here: what follows is looked at (RFC 5321 4.1.1.4)',
        'state_ = crlf ? State::line_start : State::loose_start;',
        'state_ = State::line_start;',
      ],
    ],
  ),
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

export const NATIVE_CONTENT: readonly Guard[] = [...flow, ...scan, ...mime, ...patterns];
