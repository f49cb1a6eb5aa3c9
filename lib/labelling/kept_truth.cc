// Tested by tests/labelling/kept_truth_test.cc.

#include "lib/labelling/kept_truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "lib/collection/attachments.h"
#include "lib/labelling/kept.h"
#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

const std::string* KeptTruth::find(const ContentHash& content) const {
  const auto found = said_.find(content);
  return found == said_.end() ? nullptr : &found->second.label;
}

bool KeptTruth::say(const ContentHash& content, const std::string& label, const std::string& path) {
  if (label.empty() || !is_utf8(label))
    throw Error(ErrorCode::InvalidArgument, "label",
                "a label is a text of UTF-8, not an empty one");
  const auto found = said_.find(content);
  if (found == said_.end() && said_.size() >= kMostTruths)
    throw Error(ErrorCode::InvalidArgument, "the truth",
                fmt::format("there are {} pictures already", with_thousands(kMostTruths)),
                "write it to a CSV file and begin anew");
  const bool is_new = found == said_.end() || found->second.label != label;
  said_[content] = {label, path, next_order_++};
  return is_new;
}

bool KeptTruth::take_back(const ContentHash& content) {
  return said_.erase(content) > 0;
}

std::vector<std::string> KeptTruth::labels() const {
  std::set<std::string> names;
  for (const auto& [content, said] : said_) names.insert(said.label);
  return {names.begin(), names.end()};
}

std::vector<const KeptTruth::Entry*> KeptTruth::in_order() const {
  std::vector<const Entry*> entries;
  for (const Entry& entry : said_) entries.push_back(&entry);
  std::ranges::sort(entries, {}, [](const Entry* entry) { return entry->second.order; });
  return entries;
}

std::string encode_truth(const KeptTruth& truth) {
  ByteWriter out;
  out.number(kVersion);
  out.varint(truth.all().size());
  for (const KeptTruth::Entry* entry : truth.in_order()) {
    out.raw(std::as_bytes(std::span(entry->first)));
    out.text(entry->second.label);
    out.text(entry->second.path);
  }
  return std::move(out).bytes();
}

KeptTruth decode_truth(std::string_view bytes, const std::string& subject) {
  ByteReader in(bytes, subject);
  if (in.number<uint8_t>() != kVersion) throw other_version(subject);
  KeptTruth truth;
  const uint64_t count = in.varint_at_most(kMostTruths);
  for (uint64_t i = 0; i < count; ++i) {
    ContentHash content;
    const std::string_view hash = in.take(content.size());
    std::copy(hash.begin(), hash.end(), content.begin());
    const std::string label(in.text());
    if (label.empty() || !is_utf8(label)) in.fail("a label is no text");
    if (truth.find(content) != nullptr) in.fail("a picture is given twice");
    truth.said_[content] = {label, std::string(in.text()), truth.next_order_++};
  }
  in.expect_end();
  return truth;
}

KeptTruth load_truth(const View& collection, const std::string& name) {
  const auto bytes = collection.attachments().get(kTruthKind, name);
  return bytes ? decode_truth(*bytes, fmt::format("truth {}", name)) : KeptTruth();
}

void save_truth(const View& collection, const std::string& name, const KeptTruth& truth) {
  collection.attachments().put(kTruthKind, name, encode_truth(truth));
}

KnownContents known_contents(const View& collection, const std::vector<Label>& labels,
                             const KeptTruth& truth) {
  std::vector<std::optional<Row>> rows;
  for (const auto& [content, said] : truth.all()) rows.push_back(collection.find_content(content));
  return known_contents(rows, labels, truth);
}

KnownContents known_contents(std::span<const std::optional<Row>> rows,
                             const std::vector<Label>& labels, const KeptTruth& truth) {
  std::map<std::string, uint32_t> numbers;
  for (const Label& label : labels)
    numbers.emplace(label.name, static_cast<uint32_t>(numbers.size()));
  KnownContents known;
  auto row = rows.begin();
  for (const auto& [content, said] : truth.all()) {
    const std::optional<Row> own = *row++;
    if (!own) continue;
    if (const auto label = numbers.find(said.label); label != numbers.end()) {
      known.pictures.push_back({*own, label->second});
    } else {
      ++known.other_labels;
    }
  }
  std::ranges::sort(known.pictures, {}, &KnownPicture::row);
  return known;
}

}  // namespace zeroshelf
