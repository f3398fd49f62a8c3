#include <array>

#include "core/mime_walk_anomalies.h"

namespace postern {
namespace {

constexpr std::array<std::string_view, kMimeAnomalies> kNames{
    "header-line-malformed",
    "folded-first-line",
    "blank-folded-line",
    "space-before-colon",
    "bare-cr-in-header",
    "bare-lf-in-header",
    "nul-in-header",
    "eight-bit-in-header",
    "header-unterminated",
    "field-over-budget",
    "fields-over-budget",
    "header-over-budget",
    "duplicate-content-type",
    "duplicate-encoding",
    "content-type-malformed",
    "content-type-comment",
    "parameter-malformed",
    "parameter-duplicate",
    "parameter-extended",
    "encoding-malformed",
    "encoded-composite",
    "boundary-missing",
    "boundary-long",
    "boundary-over-budget",
    "boundary-ambiguous",
    "boundary-guessed",
    "boundary-line-odd",
    "part-after-close",
    "multipart-unterminated",
    "parts-over-budget",
    "depth-over-budget",
    "bare-lf-in-body",
    "base64-illegal",
    "base64-incomplete",
    "quoted-printable-illegal",
    "bare-cr-structure",
};

static_assert(static_cast<unsigned>(MimeAnomaly::bare_cr_structure) + 1 == kMimeAnomalies);

}  // namespace

std::string_view mime_anomaly_name(MimeAnomaly anomaly) noexcept {
  const auto index = static_cast<std::size_t>(anomaly);
  return index < kNames.size() ? kNames[index] : "unknown";
}

}  // namespace postern
