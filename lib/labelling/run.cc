// Tested by tests/labelling/run_test.cc.

#include "lib/labelling/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include "lib/collection/attachments.h"
#include "lib/labelling/kept.h"
#include "lib/labelling/run_entries.h"
#include "lib/util/bytes.h"
#include "lib/util/drop_repeated.h"
#include "lib/util/utc.h"

namespace zeroshelf {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint64_t kMostLabels = 1'000'000;

// Places among labels are kept in as few bytes as hold their number and one more for "none".
size_t label_width(size_t labels) {
  return labels < 0xff ? 1 : labels < 0xffff ? 2 : 4;
}

void write_label(ByteWriter& out, size_t width, std::optional<uint32_t> label) {
  const uint32_t code = label ? *label + 1 : 0;
  out.raw(std::as_bytes(std::span(&code, 1)).first(width));
}

std::optional<uint32_t> read_label(ByteReader& in, size_t width, size_t labels) {
  const std::string_view bytes = in.take(width);
  uint32_t code = 0;
  std::memcpy(&code, bytes.data(), width);
  if (code > labels) in.fail("a label is out of range");
  return code == 0 ? std::nullopt : std::optional(code - 1);
}

void write_entry(ByteWriter& out, size_t width, const RunEntry& entry) {
  out.raw(std::as_bytes(std::span(entry.key)));
  write_label(out, width, entry.label);
  write_label(out, width, entry.image_label);
  write_label(out, width, entry.text_label);
  out.number<uint8_t>(entry.source == Source::Text ? 1 : 0);
  out.number(entry.score);
  out.number(entry.margin);
}

RunEntry read_entry(ByteReader& in, size_t width, size_t labels) {
  RunEntry entry;
  const std::string_view key = in.take(entry.key.size());
  std::copy(key.begin(), key.end(), entry.key.begin());
  entry.label = read_label(in, width, labels);
  const std::optional<uint32_t> image_label = read_label(in, width, labels);
  if (!image_label) in.fail("a picture has no label of its own");
  entry.image_label = *image_label;
  entry.text_label = read_label(in, width, labels);
  const auto source = in.number<uint8_t>();
  if (source > 1 || (source == 1 && !(entry.label && entry.text_label)))
    in.fail("an answer has no source");
  if (entry.label) entry.source = source == 1 ? Source::Text : Source::Image;
  entry.score = in.number<float>();
  entry.margin = in.number<float>();
  if (!std::isfinite(entry.score) || !std::isfinite(entry.margin)) in.fail("a score is no number");
  if (!entry.label && (entry.score != 0 || entry.margin != 0)) in.fail("no answer has a score");
  return entry;
}

std::vector<Label> read_labels(ByteReader& in) {
  std::vector<Label> labels;
  std::set<std::string> names;
  const uint64_t count = in.varint_at_most(std::min<uint64_t>(kMostLabels, in.left()));
  if (count == 0) in.fail("it has no labels");
  for (uint64_t i = 0; i < count; ++i) {
    Label label{std::string(in.text()), {}};
    if (!names.insert(label.name).second) in.fail("a label is there twice");
    const uint64_t prompts = in.varint_at_most(in.left());
    for (uint64_t j = 0; j < prompts; ++j) label.prompts.emplace_back(in.text());
    labels.push_back(std::move(label));
  }
  return labels;
}

}  // namespace

ContentKey content_key(const ContentHash& hash) {
  ContentKey key;
  std::copy_n(hash.begin(), key.size(), key.begin());
  return key;
}

const RunEntry* Run::find(const ContentKey& key) const {
  const auto found = std::lower_bound(
      entries.begin(), entries.end(), key,
      [](const RunEntry& entry, const ContentKey& wanted) { return entry.key < wanted; });
  return found != entries.end() && found->key == key ? &*found : nullptr;
}

RunEntry entry_of(const PictureRecord& record, const Prediction& prediction) {
  RunEntry entry;
  entry.key = content_key(record.content_hash);
  entry.image_label = prediction.image.label;
  if (prediction.text) entry.text_label = prediction.text->label;
  if (prediction.winner) {
    entry.label = prediction.answer().label;
    entry.source = prediction.winner;
    entry.score = prediction.answer().score;
    entry.margin = prediction.margin();
  }
  return entry;
}

void sort_entries(std::vector<RunEntry>& entries) {
  std::ranges::stable_sort(entries, {}, &RunEntry::key);
  drop_repeated(entries, &RunEntry::key);
}

Run make_run(const View& collection, const Labelling& labelling, unsigned threads) {
  return make_run(collection, labelling, classify(collection, labelling, threads));
}

Run make_run(const View& collection, const Labelling& labelling,
             const std::vector<Prediction>& predictions) {
  Run run;
  run.created_utc = now_utc();
  run.model_name = collection.manifest().model_name;
  run.model_fingerprint = collection.manifest().model_fingerprint;
  run.fusion = labelling.fusion.rule->name();
  run.settings = settings_json(labelling.fusion.settings);
  run.labels = labelling.labels;
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    run.entries.push_back(entry_of(record, predictions[row]));
  });
  sort_entries(run.entries);
  return run;
}

Run joined_runs(std::vector<Run> of_parts) {
  Run all = std::move(of_parts.front());
  for (size_t i = 1; i < of_parts.size(); ++i)
    std::ranges::move(of_parts[i].entries, std::back_inserter(all.entries));
  sort_entries(all.entries);
  return all;
}

std::vector<bool> rows_with_label(const View& collection, const Run& run,
                                  const std::vector<std::string>& names) {
  const std::vector<uint32_t> wanted = find_labels("--label", names, run.labels);
  std::vector<bool> rows(collection.rows(), false);
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    const RunEntry* entry = run.find(content_key(record.content_hash));
    rows[row] = entry != nullptr && entry->label &&
                std::ranges::find(wanted, *entry->label) != wanted.end();
  });
  return rows;
}

std::string encode_run(const Run& run) {
  ByteWriter out;
  out.number(kVersion);
  for (const std::string* text :
       {&run.created_utc, &run.model_name, &run.model_fingerprint, &run.fusion, &run.settings})
    out.text(*text);
  out.varint(run.labels.size());
  for (const Label& label : run.labels) {
    out.text(label.name);
    out.varint(label.prompts.size());
    for (const std::string& prompt : label.prompts) out.text(prompt);
  }
  out.varint(run.entries.size());
  const size_t width = label_width(run.labels.size());
  for (const RunEntry& entry : run.entries) write_entry(out, width, entry);
  return std::move(out).bytes();
}

Run decode_run(std::string_view bytes, const std::string& subject) {
  ByteReader in(bytes, subject);
  if (in.number<uint8_t>() != kVersion) throw other_version(subject);
  Run run;
  for (std::string* text :
       {&run.created_utc, &run.model_name, &run.model_fingerprint, &run.fusion, &run.settings})
    *text = in.text();
  run.labels = read_labels(in);
  const size_t width = label_width(run.labels.size());
  const uint64_t count = in.varint();
  const size_t entry_size = ContentKey().size() + 3 * width + 1 + 2 * sizeof(float);
  if (count != in.left() / entry_size) in.fail("its number of pictures is wrong");
  run.entries.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    run.entries.push_back(read_entry(in, width, run.labels.size()));
    if (i > 0 && !(run.entries[i - 1].key < run.entries[i].key)) in.fail("it is not in order");
  }
  in.expect_end();
  return run;
}

void save_run(const View& collection, const std::string& name, const Run& run) {
  collection.attachments().put(kRunKind, name, encode_run(run));
}

Run load_run(const View& collection, const std::string& name) {
  return decode_run(load_kept(collection, kRunKind, name, "classify --save NAME"),
                    fmt::format("run {}", name));
}

}  // namespace zeroshelf
