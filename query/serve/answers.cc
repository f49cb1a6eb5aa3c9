// Tested by tests/serve.

#include "query/serve/answers.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <system_error>

#include "lib/report/messages.h"
#include "lib/report/prediction_writer.h"
#include "lib/util/hash.h"
#include "lib/util/parallel.h"
#include "lib/util/words.h"
#include "query/serve/chorus.h"
#include "query/serve/truths.h"

namespace zeroshelf::serve {
namespace {

std::string utc_of(int64_t ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t seconds = ns / kSecond - (ns % kSecond < 0 ? 1 : 0);
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  if (::gmtime_r(&time, &parts) == nullptr) return "";
  char text[64];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace

std::vector<RawJson> raw(const std::vector<std::string>& objects) {
  std::vector<RawJson> raws;
  raws.reserve(objects.size());
  for (const std::string& object : objects) raws.push_back({object});
  return raws;
}

void append_answer(std::string& out, const std::vector<Label>& labels, Row row,
                   const PictureRecord& record, const std::vector<Word>& words,
                   const Prediction& prediction, const std::vector<Scored>* above,
                   const std::optional<std::string>& truth) {
  message::Prediction told = prediction_message(labels, {record, prediction, words, above});
  told.file = {record.width_px, record.height_px, to_hex(record.content_hash)};
  out += '{';
  JsonWriter json(out);
  json.member("row", row);
  write_members(json, told);
  json.member("truth", truth);
  out += '}';
}

std::vector<std::string> own_answers(const Snapshot& snapshot, const Labelling& labelling,
                                     std::span<const Row> rows, std::optional<float> above,
                                     const KeptTruth& truth) {
  const View& view = snapshot.view;
  constexpr size_t kAtOnce = 16;
  const RowAnswers answers =
      classify_rows(view, labelling, rows, above ? Scores::All : Scores::Best);
  std::vector<std::string> told(rows.size());
  parallel_chunks(rows.size(), kAtOnce, 0, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const PictureRecord record = view.record(rows[i]);
      std::vector<Scored> all;
      if (above) all = labels_above(answers.as_block(), i, *above);
      append_answer(told[i], labelling.labels, snapshot.first_row + rows[i], record,
                    view.words(rows[i]), answers.predictions[i], above ? &all : nullptr,
                    label_of(truth, record.content_hash));
    }
  });
  return told;
}

std::vector<std::string> answers_json(const Snapshot& snapshot, const Labelling& labelling,
                                      std::span<const Row> rows, std::optional<float> above,
                                      const KeptTruth& truth) {
  return told_of_rows(snapshot, rows, [&](std::span<const Row> own) {
    return own_answers(snapshot, labelling, own, above, truth);
  });
}

std::string picture_json(const Snapshot& snapshot, Row row, const std::vector<Row>& copies,
                         const KeptTruth& truth) {
  const PictureRecord record = snapshot.view.record(row);
  const std::vector<Word> words = snapshot.view.words(row);
  std::error_code ignored;
  return json_object([&](JsonWriter& json) {
    json.member("row", snapshot.first_row + row)
        .path(record.file.path)
        .member("sha256", to_hex(record.content_hash))
        .member("size_bytes", record.file.size_bytes)
        .member("modified", utc_of(record.file.mtime_ns))
        .member("width", record.width_px)
        .member("height", record.height_px)
        .member("gone", !std::filesystem::exists(record.file.path, ignored))
        .member("turned_degrees", record.turned_degrees)
        .member("unread_script",
                record.unread_script.empty() ? std::nullopt : std::optional(record.unread_script))
        .member("ocr_text", joined_text(words))
        .member("text_confidence", record.text_confidence)
        .member("words", message::read_words(words))
        .member("truth", label_of(truth, record.content_hash))
        .member("copies", copies);
  });
}

}  // namespace zeroshelf::serve
