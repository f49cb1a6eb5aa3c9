// Tested by tests/labelling/carry_over_test.cc.

#include "lib/labelling/carry_over.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/kept_truth.h"
#include "lib/labelling/run.h"
#include "lib/util/drop_repeated.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

using Contents = std::map<ContentHash, ContentHash>;

// Returns the bytes with the other contents; absent where nothing is said of them.
using Carry = std::function<std::optional<std::string>(const std::string& bytes)>;

void carry_kind(const Attachments& attachments, std::string_view kind, const Carry& carry) {
  for (const std::string& name : attachments.names(kind)) {
    try {
      const auto bytes = attachments.get(kind, name);
      if (!bytes) continue;
      if (const auto carried = carry(*bytes)) attachments.put(kind, name, *carried);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Io) throw;
    }
  }
}

std::optional<std::string> carry_truth(const std::string& bytes, const Contents& contents) {
  KeptTruth truth = decode_truth(bytes, "truth");
  std::vector<std::pair<ContentHash, KeptTruth::Said>> more;
  for (const KeptTruth::Entry* entry : truth.in_order()) {
    const auto changed = contents.find(entry->first);
    if (changed != contents.end()) more.emplace_back(changed->second, entry->second);
  }
  bool is_changed = false;
  for (const auto& [content, said] : more) {
    if (truth.find(content) == nullptr && truth.all().size() < kMostTruths)
      is_changed = truth.say(content, said.label, said.path) || is_changed;
  }
  return is_changed ? std::optional(encode_truth(truth)) : std::nullopt;
}

std::optional<std::string> carry_run(const std::string& bytes, const Contents& contents,
                                     const std::function<bool(const ContentHash&)>& is_there) {
  Run run = decode_run(bytes, "run");
  std::vector<RunEntry> more;
  std::vector<ContentKey> gone;
  for (const auto& [before, after] : contents) {
    const RunEntry* const entry = run.find(content_key(before));
    if (entry == nullptr) continue;
    if (run.find(content_key(after)) == nullptr) {
      more.push_back(*entry);
      more.back().key = content_key(after);
    }
    if (!is_there(before)) gone.push_back(entry->key);
  }
  if (more.empty() && gone.empty()) return std::nullopt;
  std::ranges::sort(gone);
  std::erase_if(run.entries,
                [&](const RunEntry& entry) { return std::ranges::binary_search(gone, entry.key); });
  run.entries.insert(run.entries.end(), more.begin(), more.end());
  std::ranges::sort(run.entries, {}, &RunEntry::key);
  drop_repeated(run.entries, &RunEntry::key);
  return encode_run(run);
}

std::optional<std::string> carry_classifier(const std::string& bytes, const Contents& contents) {
  Classifier classifier = decode_classifier(bytes, "classifier");
  std::vector<uint64_t>& marks = classifier.learned_from;
  std::vector<uint64_t> more;
  for (const auto& [before, after] : contents) {
    if (std::ranges::binary_search(marks, learned_mark(before)) &&
        !std::ranges::binary_search(marks, learned_mark(after)))
      more.push_back(learned_mark(after));
  }
  if (more.empty()) return std::nullopt;
  marks.insert(marks.end(), more.begin(), more.end());
  std::ranges::sort(marks);
  drop_repeated(marks);
  return encode_classifier(classifier);
}

}  // namespace

void carry_over(const std::filesystem::path& collection, const Contents& contents,
                const std::function<bool(const ContentHash&)>& is_there) {
  if (contents.empty()) return;
  const Attachments attachments(collection);
  carry_kind(attachments, kTruthKind,
             [&](const std::string& bytes) { return carry_truth(bytes, contents); });
  carry_kind(attachments, kRunKind,
             [&](const std::string& bytes) { return carry_run(bytes, contents, is_there); });
  carry_kind(attachments, kClassifierKind,
             [&](const std::string& bytes) { return carry_classifier(bytes, contents); });
}

}  // namespace zeroshelf
