// The members of each message, in their order. Tested by tests/report/messages_test.cc.

#include "lib/report/messages.h"

#include <array>

namespace zeroshelf::message {
namespace {

std::array<int, 4> corners(const Box& box) {
  return {box.x, box.y, box.width, box.height};
}

}  // namespace

void write_members(JsonWriter& json, const Path& path) {
  json.path(path.path);
}

void write_members(JsonWriter& json, const ReadWord& word) {
  json.member("text", word.word.text)
      .member("confidence", word.word.confidence)
      .member("box", corners(word.word.box));
}

std::vector<ReadWord> read_words(std::span<const Word> words) {
  std::vector<ReadWord> read;
  read.reserve(words.size());
  for (const Word& word : words) read.push_back({word});
  return read;
}

void write_members(JsonWriter& json, const Interval& figure) {
  json.member("value", figure.value).member("low", figure.low).member("high", figure.high);
}

void write_members(JsonWriter& json, const ScoredLabel& scored) {
  json.member("label", scored.label).member("score", scored.score);
}

void write_members(JsonWriter& json, const SideAnswer& side) {
  json.member("label", side.label).member("score", side.score).member("margin", side.margin);
}

void write_members(JsonWriter& json, const Veto& veto) {
  json.member("label", veto.label)
      .member("prompt", veto.prompt)
      .member("score", veto.score)
      .member("taken", veto.taken);
}

void write_members(JsonWriter& json, const Evidence& evidence) {
  if (evidence.answer) {
    json.member("label", evidence.answer->label)
        .member("score", evidence.answer->score)
        .member("source", evidence.answer->source)
        .member("margin", evidence.answer->margin);
  } else {
    for (const char* name : {"label", "score", "source", "margin"})
      json.member(name, RawJson{"null"});
  }
  json.member("runner_up", evidence.runner_up)
      .member("image", evidence.image)
      .member("text", evidence.text);
  if (evidence.veto) json.member("veto", *evidence.veto);
}

void write_members(JsonWriter& json, const Prediction::Ocr& ocr) {
  json.member("text", ocr.text).member("words", ocr.words).member("confidence", ocr.confidence);
}

void write_members(JsonWriter& json, const Prediction& prediction) {
  json.path(prediction.path);
  write_members(json, prediction.evidence);
  json.member("ocr", prediction.ocr);
  if (prediction.labels) json.member("labels", *prediction.labels);
  if (!prediction.file) return;
  json.member("width", prediction.file->width)
      .member("height", prediction.file->height)
      .member("sha256", prediction.file->sha256)
      .member("ocr_text", prediction.ocr ? std::string_view(prediction.ocr->text) : "");
}

void write_members(JsonWriter& json, const Count& count) {
  json.member("label", count.label)
      .member("pictures", count.pictures)
      .member("share", Rounded{count.share, 6});
}

void write_members(JsonWriter& json, const Hit::MatchedWord& word) {
  json.member("text", word.text)
      .member("query", word.query)
      .member("edits", word.edits)
      .member("box", corners(word.box));
}

void write_members(JsonWriter& json, const Hit& hit) {
  std::vector<Path> similar;
  for (const std::string& path : hit.similar) similar.push_back({path});
  json.member("rank", hit.rank).path(hit.path);
  if (hit.is_gone) json.member("gone", true);
  json.member("fits", hit.fits)
      .member("score", hit.score)
      .member("found_by", hit.found_by)
      .member("image_score", hit.image_score)
      .member("text_score", hit.text_score)
      .member("image_nats", hit.image_nats)
      .member("text_nats", hit.text_nats)
      .member("letter_nats", hit.lexical_nats)
      .member("words", hit.words)
      .member("similar", similar)
      .member("ocr_text", hit.ocr_text);
}

void write_members(JsonWriter& json, const DuplicateGroup::Picture& picture) {
  json.path(picture.path).member("ocr_text", picture.ocr_text);
}

void write_members(JsonWriter& json, const DuplicateGroup& group) {
  json.member("kind", group.kind).member("pictures", group.pictures);
}

void write_members(JsonWriter& json, const Accuracy& accuracy) {
  json.member("fusion", accuracy.name)
      .member("label", accuracy.label)
      .member("accuracy", accuracy.accuracy)
      .member("low", accuracy.low)
      .member("high", accuracy.high)
      .member("right", accuracy.right)
      .member("pictures", accuracy.pictures)
      .member("name", accuracy.name)
      .member("macro_f1", accuracy.macro_f1);
}

void write_members(JsonWriter& json, const Metric& metric) {
  json.member("fusion", metric.fusion).member("metric", metric.metric);
  write_members(json, metric.figure);
}

void write_members(JsonWriter& json, const LabelFigures& figures) {
  json.member("fusion", figures.fusion)
      .member("label", figures.label)
      .member("precision", figures.precision)
      .member("recall", figures.recall)
      .member("f1", figures.f1)
      .member("truths", figures.truths)
      .member("answers", figures.answers)
      .member("right", figures.right);
}

void write_members(JsonWriter& json, const Confusion& confusion) {
  json.member("fusion", confusion.fusion)
      .member("truth", confusion.truth)
      .member("answer", confusion.answer)
      .member("pictures", confusion.pictures);
}

void write_members(JsonWriter& json, const Reliability& reliability) {
  json.member("fusion", reliability.fusion)
      .member("from", Decimal{reliability.from, 4})
      .member("to", Decimal{reliability.to, 4})
      .member("confidence", reliability.confidence)
      .member("accuracy", reliability.accuracy)
      .member("pictures", reliability.pictures);
}

void write_members(JsonWriter& json, const Coverage& coverage) {
  json.member("fusion", coverage.fusion)
      .member("coverage", coverage.coverage)
      .member("accuracy", coverage.accuracy)
      .member("confidence", coverage.confidence)
      .member("answered", coverage.answered);
}

void write_members(JsonWriter& json, const Comparison& comparison) {
  json.member("first", comparison.first)
      .member("second", comparison.second)
      .member("difference", comparison.difference.value)
      .member("low", comparison.difference.low)
      .member("high", comparison.difference.high)
      .member("only_first_right", comparison.only_first_right)
      .member("only_second_right", comparison.only_second_right)
      .member("p_value", comparison.p_value);
}

void write_members(JsonWriter& json, const Level& level) {
  json.member("fusion", level.fusion)
      .member("level", level.level)
      .member("pictures", level.pictures)
      .member("right", level.right)
      .member("stopped", level.stopped);
}

void write_members(JsonWriter& json, const Calibration& calibration) {
  json.member("settings", RawJson{calibration.settings_json})
      .member("pictures", calibration.pictures)
      .member("with_text", calibration.with_text)
      .member("folds", calibration.folds)
      .member("log_loss_gain", calibration.log_loss_gain)
      .member("accuracy_gain", calibration.accuracy_gain)
      .member("accuracy", calibration.accuracy)
      .member("default_accuracy", calibration.default_accuracy)
      .member("calibration_error", calibration.calibration_error)
      .member("default_calibration_error", calibration.default_calibration_error)
      .member("beyond_noise", calibration.beyond_noise);
}

void write_members(JsonWriter& json, const Training& training) {
  json.member("pictures", training.pictures)
      .member("labels", training.labels)
      .member("penalty", training.penalty)
      .member("folds", training.folds)
      .member("held_out_log_loss", training.held_out_log_loss);
}

void write_members(JsonWriter& json, const KeptThing& kept) {
  json.member("type", kept.type)
      .member("name", kept.name)
      .member("created", kept.created)
      .member("pictures", kept.pictures)
      .member("labels", kept.labels)
      .member("about", kept.about);
}

void write_members(JsonWriter& json, const Transition& transition) {
  json.member("from", transition.from)
      .member("to", transition.to)
      .member("pictures", transition.pictures);
}

void write_members(JsonWriter& json, const Moved& moved) {
  json.path(moved.path)
      .member("from", moved.from)
      .member("to", moved.to)
      .member("from_score", moved.from_score)
      .member("to_score", moved.to_score);
}

void write_members(JsonWriter& json, const Review& review) {
  json.path(review.path)
      .member("label", review.label)
      .member("score", review.score)
      .member("margin", review.margin)
      .member("source", review.source)
      .member("image_label", review.image_label)
      .member("text_label", review.text_label);
}

void write_members(JsonWriter& json, const Metadata& metadata) {
  json.path(metadata.path)
      .member("size_bytes", metadata.size_bytes)
      .member("mtime_ns", metadata.mtime_ns)
      .member("sha256", metadata.sha256)
      .member("width", metadata.width)
      .member("height", metadata.height)
      .member("words", read_words(metadata.words));
}

void write_members(JsonWriter& json, const Embedding& embedding) {
  if (embedding.path) {
    json.member("type", "image").path(*embedding.path);
  } else {
    json.member("type", "text").member("text", embedding.text);
  }
  if (embedding.ids) json.member("ids", *embedding.ids);
  if (embedding.embedding) json.member("embedding", *embedding.embedding);
}

void write_members(JsonWriter& json, const Plan& plan) {
  json.member("files", plan.files);
}

void write_members(JsonWriter& json, const Progress& progress) {
  const auto left = progress.seconds_left;
  json.member("files_read", progress.files_read)
      .member("files", progress.files)
      .member("per_second", Decimal{progress.per_second, 2})
      .member("seconds_left", left ? std::optional(Decimal{*left, 1}) : std::nullopt)
      .member("skipped", progress.skipped)
      .member("bottleneck", progress.bottleneck);
}

void write_members(JsonWriter& json, const Commit& commit) {
  json.member("pictures", commit.pictures)
      .member("files_read", commit.files_read)
      .member("files", commit.files);
}

void write_members(JsonWriter& json, const SkippedFile& skip) {
  json.path(skip.path).member("reason", skip.reason).member("detail", skip.detail);
}

void write_members(JsonWriter& json, const SyncSummary::NotRemoved& place) {
  json.path(place.path)
      .member("state", place.state)
      .member("pictures", place.pictures)
      .member("gone", place.gone);
}

void write_members(JsonWriter& json, const SyncSummary& summary) {
  json.member("added", summary.added)
      .member("copied", summary.copied)
      .member("restored", summary.restored)
      .member("moved", summary.moved)
      .member("removed", summary.removed)
      .member("unchanged", summary.unchanged)
      .member("skipped", summary.skipped)
      .member("with_text", summary.with_text)
      .member("interrupted", summary.interrupted)
      .member("sidecars", summary.sidecars)
      .member("recordings", summary.recordings)
      .member("collections", summary.collections)
      .member("exports", summary.exports)
      .member("not_removed", summary.not_removed)
      .member("pictures", summary.pictures)
      .member("seconds", Decimal{summary.seconds, 3})
      .member("precision", summary.precision)
      .member("kernel", summary.kernel)
      .member("reading_share", Decimal{summary.reading_share, 3})
      .member("stage_seconds", Numbers<Decimal>{summary.stage_seconds});
}

void write_members(JsonWriter& json, const Stats& stats) {
  json.member("pictures", stats.pictures)
      .member("with_text", stats.with_text)
      .member("tombstones", stats.tombstones)
      .member("skipped", stats.skipped)
      .member("commits", stats.commits)
      .member("disk_bytes", stats.disk_bytes)
      .member("dimension", stats.dimension)
      .member("logit_scale", stats.logit_scale)
      .member("scoring", stats.logit_bias ? "sigmoid" : "softmax")
      .member("logit_bias", stats.logit_bias)
      .member("format_version", stats.format_version)
      .member("model_name", stats.model_name)
      .member("model_path", stats.model_path)
      .member("model_fingerprint", stats.model_fingerprint)
      .member("ocr_languages", stats.ocr_languages)
      .member("mask_text", stats.mask_text)
      .member("created", stats.created);
  if (stats.parts > 1) json.member("parts", stats.parts);
  if (!stats.shard.empty()) json.member("shard", stats.shard);
  json.member("unfinished", stats.unfinished)
      .member("skip_reasons", Numbers<uint64_t>{stats.skip_reasons})
      .member("turned", stats.turned)
      .member("unread_scripts", Numbers<uint64_t>{stats.unread_scripts});
}

void write_members(JsonWriter& json, const Fault& fault) {
  json.member("type", fault.type).member("subject", fault.subject).member("cause", fault.cause);
}

void write_members(JsonWriter& json, const Mended& mended) {
  json.member("what", mended.what);
}

void write_members(JsonWriter& json, const Summary& summary) {
  write_members(json, Numbers<uint64_t>{summary.numbers});
}

void write_members(JsonWriter& json, const Ocr& ocr) {
  json.path(ocr.path).member("text", joined_text(ocr.words)).member("words", read_words(ocr.words));
  if (ocr.turned_degrees != 0) json.member("turned_degrees", ocr.turned_degrees);
  if (!ocr.unread_script.empty()) json.member("unread_script", ocr.unread_script);
}

}  // namespace zeroshelf::message
