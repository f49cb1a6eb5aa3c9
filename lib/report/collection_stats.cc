// Tested through the programs by tests/programs/union_test.cc and tests/serve/serve_test.py.

#include "lib/report/collection_stats.h"

#include "lib/collection/settings.h"
#include "lib/ingest/shard.h"

namespace zeroshelf {
namespace {

std::string shard_told(const View& view) {
  const auto shard = view.parts().size() == 1 ? shard_of(view.parts().front().collection)
                                              : std::optional<Shard>();
  return shard ? shard_name(*shard) : "";
}

}  // namespace

CollectionStats collection_stats(const View& view, const std::function<void()>& go_on) {
  constexpr Row kBetweenLooks = 4096;
  CollectionStats stats;
  stats.manifest = view.manifest();
  stats.counts = view.counts();
  const Settings settings(view.directory());
  stats.model_path = settings.model_path().value_or(stats.manifest.model_path);
  stats.text_languages = settings.text_languages().value_or(stats.manifest.ocr_languages);
  stats.parts = view.parts().size();
  stats.shard = shard_told(view);
  for (const View::Part& part : view.parts()) {
    part.collection.for_each_skip([&](const SkippedFile& file) {
      ++stats.skip_reasons[std::string(skip_reason_name(file.skip.reason))];
    });
  }
  view.for_each_record([&](Row row, const PictureRecord& record) {
    if (go_on && row % kBetweenLooks == 0) go_on();
    stats.turned += record.turned_degrees != 0;
    if (!record.unread_script.empty()) ++stats.unread_scripts[record.unread_script];
  });
  return stats;
}

message::Stats message_of(const CollectionStats& stats) {
  const Manifest& manifest = stats.manifest;
  message::Stats told;
  told.pictures = stats.counts.pictures;
  told.with_text = stats.counts.with_text;
  told.tombstones = stats.counts.tombstones;
  told.skipped = stats.counts.skips;
  told.commits = stats.counts.commits;
  told.disk_bytes = stats.counts.disk_bytes;
  told.dimension = manifest.dimension;
  told.logit_scale = manifest.logit_scale;
  if (manifest.scoring == Scoring::Sigmoid) told.logit_bias = manifest.logit_bias;
  told.format_version = manifest.format_version;
  told.model_name = manifest.model_name;
  told.model_path = stats.model_path;
  told.model_fingerprint = manifest.model_fingerprint;
  told.ocr_languages = stats.text_languages;
  told.mask_text = manifest.mask_text;
  told.created = manifest.created_utc;
  told.parts = stats.parts;
  told.shard = stats.shard;
  for (const auto& [reason, count] : stats.skip_reasons) told.skip_reasons.push_back({reason, count});
  told.turned = stats.turned;
  for (const auto& [script, count] : stats.unread_scripts)
    told.unread_scripts.push_back({script, count});
  return told;
}

}  // namespace zeroshelf
