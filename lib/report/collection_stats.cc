// Tested through the programs by tests/programs/union_test.cc and tests/serve/serve_test.py.

#include "lib/report/collection_stats.h"

#include <array>

#include "lib/collection/elsewhere.h"
#include "lib/collection/settings.h"
#include "lib/collection/shard.h"
#include "lib/util/bytes.h"

namespace zeroshelf {
namespace {

std::string shard_told(const View& view) {
  const auto shard =
      view.parts().size() == 1 ? shard_of(view.parts().front().collection) : std::optional<Shard>();
  return shard ? shard_name(*shard) : "";
}

// What each part adds to the figures.
void count_own(const View& view, const std::function<void()>& go_on, CollectionStats& stats) {
  constexpr Row kBetweenLooks = 4096;
  stats.counts = view.counts();
  stats.shard = shard_told(view);
  for (const View::Part& part : view.parts()) {
    stats.unfinished += !Settings(part.collection.directory()).unfinished().empty();
    part.collection.for_each_skip([&](const SkippedFile& file) {
      ++stats.skip_reasons[std::string(skip_reason_name(file.skip.reason))];
    });
  }
  view.for_each_record([&](Row row, const PictureRecord& record) {
    if (go_on && row % kBetweenLooks == 0) go_on();
    stats.turned += record.turned_degrees != 0;
    if (!record.unread_script.empty()) ++stats.unread_scripts[record.unread_script];
  });
}

std::array<uint64_t*, 8> figures_of(CollectionStats& stats) {
  auto& [pictures, with_text, tombstones, skips, commits, disk_bytes] = stats.counts;
  return {&pictures, &with_text,  &tombstones,   &skips,
          &commits,  &disk_bytes, &stats.turned, &stats.unfinished};
}

std::string bytes_of(CollectionStats& stats) {
  ByteWriter out;
  for (const uint64_t* count : figures_of(stats)) out.number(*count);
  out.text(stats.shard);
  for (const auto* counts : {&stats.skip_reasons, &stats.unread_scripts}) {
    out.varint(counts->size());
    for (const auto& [name, count] : *counts) {
      out.text(name);
      out.varint(count);
    }
  }
  return std::move(out).bytes();
}

void add(CollectionStats& stats, std::string_view bytes) {
  ByteReader in(bytes, kRanksMessage);
  for (uint64_t* count : figures_of(stats)) *count += in.number<uint64_t>();
  stats.shard += in.text();
  for (auto* counts : {&stats.skip_reasons, &stats.unread_scripts}) {
    for (uint64_t left = in.varint_at_most(in.left()); left > 0; --left) {
      const std::string name(in.text());
      (*counts)[name] += in.varint();
    }
  }
  in.expect_end();
}

}  // namespace

CollectionStats collection_stats(const View& view, const std::function<void()>& go_on) {
  Ranks* ranks = ranks_of(view);
  CollectionStats stats;
  const auto describe = [&] {
    stats.manifest = view.manifest();
    const Settings settings(view.directory());
    stats.model_path = settings.model_path().value_or(stats.manifest.model_path);
    stats.text_languages = settings.text_languages().value_or(stats.manifest.ocr_languages);
    stats.parts = ranks == nullptr ? view.parts().size() : view.elsewhere()->parts;
    if (stats.parts > 1) stats.shard.clear();
  };
  if (ranks == nullptr) {
    count_own(view, go_on, stats);
    describe();
    return stats;
  }
  CollectionStats own;
  ranks->agree_after([&] { count_own(view, go_on, own); });
  for (const std::string& bytes : ranks->gather(bytes_of(own))) add(stats, bytes);
  ranks->agree_after([&] {
    if (ranks->is_first()) describe();
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
  told.unfinished = stats.unfinished;
  for (const auto& [reason, count] : stats.skip_reasons)
    told.skip_reasons.push_back({reason, count});
  told.turned = stats.turned;
  for (const auto& [script, count] : stats.unread_scripts)
    told.unread_scripts.push_back({script, count});
  return told;
}

}  // namespace zeroshelf
