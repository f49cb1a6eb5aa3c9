// The collection as a whole: what it is, what is in it twice, what could not be read, and how the
// server does. Tested by tests/serve.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "lib/export/export_format.h"
#include "lib/fusion/fusion.h"
#include "lib/labels/templates.h"
#include "lib/program/version.h"
#include "lib/report/collection_stats.h"
#include "lib/report/messages.h"
#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "query/serve/answers.h"
#include "query/serve/chorus.h"
#include "query/serve/service.h"

namespace zeroshelf::serve {
namespace {

std::string model_json(const Manifest& manifest) {
  return json_object([&](JsonWriter& out) {
    out.member("name", manifest.model_name)
        .member("fingerprint", manifest.model_fingerprint)
        .member("logit_scale", manifest.logit_scale)
        .member("known", manifest.has_known_model());
  });
}

std::vector<std::string> parts_json(const Snapshot& snapshot) {
  std::vector<std::string> parts;
  for (const PartFacts& part : snapshot.parts) {
    parts.push_back(json_object([&](JsonWriter& out) {
      out.member("name", folder_name(part.directory))
          .member("pictures", part.pictures)
          .member("first_row", part.first_row);
    }));
  }
  return parts;
}

std::vector<std::string> rules_json() {
  std::vector<std::string> rules;
  for (const FusionRule* rule : fusion_rules()) {
    rules.push_back(json_object(
        [&](JsonWriter& out) { out.member("name", rule->name()).member("help", rule->help()); }));
  }
  return rules;
}

std::vector<std::string> templates_json() {
  std::vector<std::string> sets;
  for (const std::string& name : template_set_names()) {
    sets.push_back(json_object([&](JsonWriter& out) {
      out.member("name", name).member("templates", *template_set(name));
    }));
  }
  return sets;
}

std::vector<std::string> formats_json() {
  std::vector<std::string> formats;
  for (const ExportFormatTraits& traits : export_formats()) {
    if (traits.writes_keywords) continue;  // not over HTTP
    formats.push_back(json_object([&](JsonWriter& out) {
      out.member("name", traits.name)
          .member("makes_folder", traits.makes_folder)
          .member("places_pictures", traits.places_pictures)
          .member("splits", traits.splits)
          .member("takes_root", traits.takes_root);
    }));
  }
  return formats;
}

double fraction_parameter(const HttpHead& head, const char* name, double default_value,
                          double least) {
  const auto given = head.parameter(name);
  if (!given) return default_value;
  double value = 0;
  const auto [end, error] = std::from_chars(given->data(), given->data() + given->size(), value);
  if (error != std::errc() || end != given->data() + given->size() ||
      !(value >= least && value <= 1))
    throw Error(ErrorCode::InvalidArgument, name,
                fmt::format("'{}' is no number from {} to 1", to_utf8(*given), least));
  return value;
}

}  // namespace

HttpResponse get_collection(Service& service, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  const Manifest& manifest = snapshot.view.manifest();
  const CollectionCounts& counts = snapshot.counts;
  const bool exports = !service.options.read_only && !service.options.exports.empty();
  return json_response(json_object([&](JsonWriter& out) {
    out.member("name", folder_name(snapshot.view.directory()))
        .member("pictures", counts.pictures)
        .member("with_text", counts.with_text)
        .member("rows", snapshot.rows)
        .member("tombstones", counts.tombstones)
        .member("skips", counts.skips)
        .member("commits", counts.commits)
        .member("generation", snapshot.generation)
        .member("dimension", manifest.dimension)
        .member("model", RawJson{model_json(manifest)})
        .member("ocr_languages", manifest.ocr_languages)
        .member("mask_text", manifest.mask_text)
        .member("created", manifest.created_utc)
        .member("parts", raw(parts_json(snapshot)))
        .member("read_only", service.options.read_only)
        .member("unanswered", unanswered(service))
        .member("exports", exports)
        .member("export_folder",
                exports ? std::optional(to_utf8(service.options.exports.string())) : std::nullopt)
        .member("loopback", service.is_loopback)
        .member("fusion", raw(rules_json()))
        .member("default_fusion", kDefaultRule)
        .member("templates", raw(templates_json()))
        .member("none_prompts", default_none_prompts())
        .member("export_formats", raw(formats_json()))
        .member("truths", service.truths.count())
        .member("version", version());
  }));
}

HttpResponse get_stats(Service&, const Call& call) {
  const CollectionStats stats = collection_stats(call.snapshot->view, call.go_on);
  if (is_silent(*call.snapshot)) return {};
  return json_response(
      json_object([&](JsonWriter& out) { write_members(out, message_of(stats)); }));
}

HttpResponse get_health(Service& service, const Call& call) {
  const bool is_stuck = service.chorus != nullptr && service.chorus->is_stuck();
  const bool ok = service.living.trouble().empty() && !is_stuck;
  return json_response(json_object([&](JsonWriter& out) {
                         out.member("ok", ok)
                             .member("pictures", call.snapshot->counts.pictures)
                             .member("generation", call.snapshot->generation)
                             .member("commits", call.snapshot->counts.commits)
                             .member("uptime_seconds", Decimal{service.uptime_seconds(), 3});
                       }),
                       ok ? 200 : 503);
}

HttpResponse get_metrics(Service& service, const Call& call) {
  const Labeller::Figures figures = service.labeller().figures();
  const HttpCounts http = service.http_counts ? service.http_counts() : HttpCounts();
  std::string text = service.metrics.text();
  const auto add = [&](const char* name, const char* type, const char* help, double value) {
    append_metric(text, name, type, help, value);
  };
  add("zeroshelf_pictures", "gauge", "Pictures of the collection.",
      static_cast<double>(call.snapshot->counts.pictures));
  add("zeroshelf_generation", "gauge", "Which committed state of the collection is asked.",
      static_cast<double>(call.snapshot->generation));
  add("zeroshelf_labelling_scans_total", "counter", "Labellings that took a pass over the vectors.",
      static_cast<double>(figures.scans));
  add("zeroshelf_labelling_hits_total", "counter", "Labellings that were in memory.",
      static_cast<double>(figures.hits));
  add("zeroshelf_labelling_bytes", "gauge", "Memory of kept labellings.",
      static_cast<double>(figures.bytes));
  add("zeroshelf_waiting", "gauge", "Requests that compute, or wait to.",
      static_cast<double>(service.gate.waiting()));
  add("zeroshelf_connections", "gauge", "Open connections.", static_cast<double>(http.connections));
  add("zeroshelf_connections_total", "counter", "Connections that were taken.",
      static_cast<double>(http.connections_taken));
  add("zeroshelf_connections_refused_total", "counter", "Connections that were one too many.",
      static_cast<double>(http.connections_refused));
  add("zeroshelf_truths", "gauge", "Pictures whose label a person gave.",
      static_cast<double>(service.truths.count()));
  add("zeroshelf_uptime_seconds", "gauge", "Since the start.", service.uptime_seconds());
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = std::move(text);
  return response;
}

namespace {

struct AskedSkips {
  uint64_t offset = 0;
  uint64_t limit = 0;
  std::optional<std::string> reason;

  bool takes(const SkippedFile& skip) const {
    return !reason || *reason == skip_reason_name(skip.skip.reason);
  }
};

void for_each_skip(const View& view, const std::function<void(const SkippedFile&)>& visit) {
  for (const View::Part& part : view.parts()) part.collection.for_each_skip(visit);
}

using SkipCounts = std::map<std::string, uint64_t, std::less<>>;

std::string bytes_of_counts(const View& view, const AskedSkips& asked) {
  SkipCounts reasons;
  uint64_t taken = 0;
  for_each_skip(view, [&](const SkippedFile& skip) {
    ++reasons[std::string(skip_reason_name(skip.skip.reason))];
    taken += asked.takes(skip);
  });
  ByteWriter out;
  out.varint(taken);
  for (const auto& [reason, count] : reasons) {
    out.text(reason);
    out.varint(count);
  }
  return std::move(out).bytes();
}

// Those of [begin, end) of the own ones that are asked for, as JSON with commas between.
std::string skips_json(const View& view, const AskedSkips& asked, uint64_t begin, uint64_t end) {
  std::string told;
  if (begin >= end) return told;
  uint64_t place = 0;
  for_each_skip(view, [&](const SkippedFile& skip) {
    if (!asked.takes(skip)) return;
    if (const uint64_t at = place++; at < begin || at >= end) return;
    if (!told.empty()) told += ',';
    told += json_object([&](JsonWriter& out) {
      out.path(skip.file.path)
          .member("reason", skip_reason_name(skip.skip.reason))
          .member("detail", to_utf8(skip.skip.detail));
    });
  });
  return told;
}

}  // namespace

HttpResponse get_skips(Service&, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  const AskedSkips asked = in_all(snapshot, [&] {
    return AskedSkips{whole_parameter(call.request, "offset", 0, UINT64_MAX),
                      whole_parameter(call.request, "limit", 100, 1000),
                      call.request.parameter("reason")};
  });
  // How many there are in all, and where the own ones begin among them.
  SkipCounts reasons;
  uint64_t count = 0;
  uint64_t first = 0;
  uint64_t own = 0;
  size_t rank = 0;
  for (const std::string& bytes :
       told_to_all(snapshot, [&] { return bytes_of_counts(snapshot.view, asked); })) {
    ByteReader in(bytes, kRanksMessage);
    const uint64_t taken = in.varint();
    if (rank++ == rank_of(snapshot)) {
      first = count;
      own = taken;
    }
    count += taken;
    while (in.left() > 0) {
      const std::string reason(in.text());
      reasons[reason] += in.varint();
    }
  }
  const uint64_t begin = std::min(asked.offset > first ? asked.offset - first : 0, own);
  const uint64_t before = first > asked.offset ? first - asked.offset : 0;  // told by others
  const uint64_t end = std::min(own, begin + (asked.limit > before ? asked.limit - before : 0));
  std::string skips;
  for (const std::string& of_rank :
       told_by_all(snapshot, [&] { return skips_json(snapshot.view, asked, begin, end); })) {
    if (!skips.empty() && !of_rank.empty()) skips += ',';
    skips += of_rank;
  }
  if (is_silent(snapshot)) return {};
  skips = "[" + skips + "]";
  std::vector<std::string> told;
  for (const auto& [name, pictures] : reasons)
    told.push_back(json_object([&, name = name, pictures = pictures](JsonWriter& out) {
      out.member("reason", name).member("count", pictures);
    }));
  return json_response(json_object([&](JsonWriter& out) {
    out.member("count", count)
        .member("reasons", raw(told))
        .member("offset", asked.offset)
        .member("skips", RawJson{skips});
  }));
}

namespace {

std::shared_ptr<const FoundDuplicates> duplicates_of(Service& service, const Call& call) {
  DuplicateLimits limits;
  limits.picture_cosine = static_cast<float>(
      fraction_parameter(call.request, "cosine", static_cast<double>(limits.picture_cosine), 0.5));
  limits.same_words = static_cast<float>(
      fraction_parameter(call.request, "same_words", static_cast<double>(limits.same_words), 0.1));
  const std::string key =
      fmt::format("{} {} {}", call.snapshot->serial, limits.picture_cosine, limits.same_words);
  const auto known = [&] {
    const auto found = service.duplicates();
    return found && found->key == key ? found : nullptr;
  };
  if (auto found = known()) return found;
  const Gate::Pass pass(service.duplicates_gate, call.go_on);
  if (auto found = known()) return found;  // somebody asked the same meanwhile
  const auto start = std::chrono::steady_clock::now();
  auto found = std::make_shared<FoundDuplicates>();
  found->key = key;
  found->groups = look_at_files(call.snapshot->view, find_duplicates(call.snapshot->view, limits));
  found->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  service.keep_duplicates(found);
  return found;
}

std::string group_json(const View& view, const DuplicateGroup& group) {
  std::vector<std::string> pictures;
  for (const Row row : group.rows) {
    const PictureRecord record = view.record(row);
    pictures.push_back(json_object([&](JsonWriter& out) {
      out.member("row", row)
          .member("sha256", to_hex(record.content_hash))
          .path(record.file.path)
          .member("ocr_text", joined_text(view.words(row)))
          .member("width", record.width_px)
          .member("height", record.height_px)
          .member("size_bytes", record.file.size_bytes);
    }));
  }
  return json_object([&](JsonWriter& out) {
    out.member("kind", std::string_view(duplicate_kind_name(group.kind)))
        .member("pictures", raw(pictures));
  });
}

}  // namespace

HttpResponse get_duplicates(Service& service, const Call& call) {
  constexpr DuplicateKind kKinds[] = {DuplicateKind::SamePicture, DuplicateKind::OtherWords,
                                      DuplicateKind::SameWords, DuplicateKind::SameFile};
  const uint64_t offset = whole_parameter(call.request, "offset", 0, UINT64_MAX);
  const uint64_t limit = whole_parameter(call.request, "limit", 100, 1000);
  const auto kind = call.request.parameter("kind");
  if (kind && std::ranges::find(kKinds, *kind, duplicate_kind_name) == std::end(kKinds))
    throw Error(ErrorCode::InvalidArgument, "kind",
                fmt::format("'{}' is no kind of duplicates", to_utf8(*kind)),
                "same_picture, other_words, same_words or same_file");
  const auto found = duplicates_of(service, call);
  std::map<std::string_view, uint64_t> counts;
  std::vector<std::string> groups;
  uint64_t count = 0;
  for (const DuplicateGroup& group : found->groups.groups) {
    const std::string_view name = duplicate_kind_name(group.kind);
    ++counts[name];
    if (kind && *kind != name) continue;
    if (count++ < offset || groups.size() >= limit) continue;
    groups.push_back(group_json(call.snapshot->view, group));
  }
  const std::string kinds = json_object([&](JsonWriter& out) {
    for (const DuplicateKind one : kKinds) {
      const std::string_view name = duplicate_kind_name(one);
      out.member(name, counts[name]);
    }
  });
  return json_response(json_object([&](JsonWriter& out) {
    out.member("count", count)
        .member("kinds", RawJson{kinds})
        .member("gone", found->groups.gone.size())
        .member("offset", offset)
        .member("groups", raw(groups))
        .member("seconds", Decimal{found->seconds, 3});
  }));
}

}  // namespace zeroshelf::serve
