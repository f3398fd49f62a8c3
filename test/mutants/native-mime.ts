import { type Guard, guardsOf } from './guard.ts';

/** Guards of the native side that tell what a message is made of: the MIME walk, its header fields, decoding, dots. */

const MIME = [
  'mime_header_test.cc',
  'mime_header_anomalies_test.cc',
  'mime_body_anomalies_test.cc',
  'mime_shapes_test.cc',
  'mime_budget_test.cc',
];
const DECODING = ['transfer_decoding_test.cc', ...MIME];
const SCAN = [
  'content_bodies_test.cc',
  'content_fields_test.cc',
  'content_limits_test.cc',
  'content_flow_test.cc',
  'content_cuts_test.cc',
];

export const NATIVE_MIME: readonly Guard[] = [
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
  ...guardsOf(
    'native/core/mime_walk_header.cc',
    ['mime_bare_cr_test.cc', 'content_cuts_test.cc'],
    [
      [
        'mime-header-pieces',
        'a field behind a bare CR is told behind what stands before it, however the line is cut (principle 3)',
        'const std::size_t piece = std::min(cr, octets.size() - 1) + 1;',
        'const std::size_t piece = cr == octets.size() ? cr : octets.size();',
      ],
    ],
  ),
  ...guardsOf(
    'native/core/mime_walk_bare_cr.cc',
    ['mime_bare_cr_test.cc'],
    [
      [
        'mime-field-behind-cr',
        'a field that begins behind a bare CR is a field, too: Exim writes LF for it in a body (readers differ)',
        'tell_field(cr_line_, true);',
        '',
      ],
      [
        'mime-header-ends-at-cr',
        'CR CR LF ends the header of a part for some: encoded text behind it is decoded (readers differ)',
        'begin_lasting();\n  doubt_ = true;',
        '',
      ],
      [
        'mime-boundary-behind-cr',
        'what may be a boundary line behind a bare CR is an anomaly, for it cannot be followed (readers differ)',
        'if (text.substr(skip_blocks(text)).find(kWanted) != std::string_view::npos) {',
        'if (false) {',
      ],
    ],
  ),
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
