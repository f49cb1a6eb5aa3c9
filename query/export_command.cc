// export: labels -> folders, data sets, lists, or a page. Tested by tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "lib/collection/elsewhere.h"
#include "lib/collection/foreign.h"
#include "lib/collection/open_view.h"
#include "lib/export/bands.h"
#include "lib/export/export_format.h"
#include "lib/export/export_page.h"
#include "lib/export/export_sinks.h"
#include "lib/export/follow_moves.h"
#include "lib/export/follow_rewrites.h"
#include "lib/export/open_folder.h"
#include "lib/export/promised.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/evaluate.h"
#include "lib/labelling/example_pictures.h"
#include "lib/labelling/labelling.h"
#include "lib/labelling/labelling_bytes.h"
#include "lib/program/message.h"
#include "lib/program/values.h"
#include "lib/report/prediction_writer.h"
#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/suggest.h"
#include "lib/util/text.h"
#include "models/flags/model_source.h"
#include "query/flags.h"
#include "query/label_flags.h"
#include "query/together.h"
#include "query/told_apart.h"

namespace zeroshelf {
namespace {

constexpr const char* kProgram = "zeroshelf-query";
constexpr double kDefaultValidation = 0.2;

struct ExportOptions {
  std::vector<std::filesystem::path> collections;
  LabelOptions labels;
  std::filesystem::path target;
  std::filesystem::path unsure_target;  // empty: unsure pictures are left out
  std::optional<ExportFormat> given_format;
  ExportFormat format = ExportFormat::Folders;  // given, or by the target's ending
  std::optional<std::string> mode;              // only where pictures are placed; symlink
  std::optional<double> validation;             // only for imagefolder
  std::filesystem::path root;                   // only for labelstudio and coco; a keyword for xmp
  bool multi = false;                           // only for xmp, as in_file
  bool in_file = false;
  std::optional<float> min_score;
  std::optional<uint64_t> max_per_label;
  std::vector<std::string> only;
  std::optional<double> at_most_wrong;  // a share; what is known is truth
  TruthOptions truth;
  ModelOptions model;
};

// "folders, imagefolder or fiftyone": the formats that can that.
std::string formats_with(bool ExportFormatTraits::*ability) {
  std::vector<std::string_view> names;
  for (const ExportFormatTraits& traits : export_formats()) {
    if (traits.*ability) names.push_back(traits.name);
  }
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    (text += i == 0 ? "" : i + 1 < names.size() ? ", " : " or ") += names[i];
  return text;
}

void refuse_unless(bool ExportFormatTraits::*ability, bool given, const char* flag,
                   const ExportFormatTraits& format) {
  if (format.*ability || !given) return;
  throw Error(ErrorCode::InvalidArgument, flag,
              fmt::format("has no effect with --format {}", format.name),
              "leave it out, or use --format " + formats_with(ability));
}

void check_flags(const ExportOptions& options) {
  const ExportFormatTraits& format = traits_of(options.format);
  refuse_unless(&ExportFormatTraits::places_pictures, options.mode.has_value(), "--mode", format);
  refuse_unless(&ExportFormatTraits::splits, options.validation.has_value(), "--validation",
                format);
  refuse_unless(&ExportFormatTraits::takes_root, !options.root.empty(), "--root", format);
  refuse_unless(&ExportFormatTraits::writes_keywords, options.multi, "--multi", format);
  refuse_unless(&ExportFormatTraits::writes_keywords, options.in_file, "--in-file", format);
  if (options.target.empty() && !format.writes_keywords)
    throw Error(ErrorCode::InvalidArgument, "--to", "is missing", "name a new folder or file");
  if (format.writes_keywords && !options.unsure_target.empty()) {
    throw Error(ErrorCode::InvalidArgument, "--unsure-to", "has no effect with --format xmp",
                "leave it out: unsure pictures get no keyword");
  }
  if (options.multi && (options.min_score || options.max_per_label)) {
    throw Error(ErrorCode::InvalidArgument, options.min_score ? "--min-score" : "--max-per-label",
                "is of one label a picture, and --multi gives several",
                "use --threshold, from which score on a picture has a label");
  }
  if (options.at_most_wrong && !options.truth.is_given())
    throw Error(
        ErrorCode::InvalidArgument, "--at-most-wrong", "no picture is known",
        "name judged pictures with --truth, --truth-judged, --truth-from-folders or --truth-from");
  if (options.at_most_wrong && options.multi)
    throw Error(ErrorCode::InvalidArgument, "--at-most-wrong",
                "is of one label a picture, and --multi gives several", "leave one of both out");
  if (!options.at_most_wrong && options.truth.is_given())
    throw Error(ErrorCode::InvalidArgument, options.truth.name(),
                "has no effect without --at-most-wrong",
                "leave it out, or say how many may be wrong");
  if (!options.unsure_target.empty() &&
      absolute_path(options.unsure_target) == absolute_path(options.target)) {
    throw Error(ErrorCode::InvalidArgument, "--unsure-to", "the same as --to", "name another");
  }
}

// Before anything is computed.
void check_targets(const ExportOptions& options) {
  for (const std::filesystem::path& target : {options.target, options.unsure_target}) {
    if (target.empty()) continue;
    expect_outside_collections(target);
    const bool promises = options.at_most_wrong && target == options.target;
    check_target(options.format, target, promises ? Promises::One : Promises::None);
  }
}

// What is exported, and from what: of several processes each has its rows.
struct Classified {
  const View& collection;
  Labelling labelling;
  std::vector<Prediction> predictions;        // one a row
  std::vector<std::vector<uint32_t>> labels;  // of each row, where it may have several; else empty
};

// Which of them are exported.
struct Chosen {
  Bands bands;
  std::vector<bool> validation;      // of imagefolder: by row
  std::optional<Promised> promised;  // known to the first process
};

// The pictures whose label is known, by which the promise is tested; what of them is doubtful is
// told.
JudgedPictures read_judged(const ExportOptions& options, const View& collection,
                           const Labelling& labelling) {
  const std::vector<Label>& labels = labelling.labels;
  // Labels that are none of these count, too: the answers there are wrong.
  const Truth truth = read_and_tell_truth(
      options.truth, collection,
      options.truth.from_folders || options.truth.from_keywords ? labels : std::vector<Label>());
  JudgedPictures judged = judged_pictures(collection, labels, truth);
  if (!judged.other_labels.empty()) {
    std::vector<std::string> names;
    for (const Label& label : labels) names.push_back(label.name);
    std::string told;
    for (const auto& [name, count] : judged.other_labels) {
      told += fmt::format("{}'{}' ({}{})", told.empty() ? "" : ", ", name, with_thousands(count),
                          did_you_mean(name, names));
    }
    warn(kProgram,
         "judged pictures of labels that are not among the labels count as wrong: " + told);
  }
  if (const uint64_t examples = leave_out_examples(judged.pictures, labelling.vectors);
      examples > 0)
    say("{}\n", examples_note(examples));
  if (!options.labels.by_prompts()) {
    const uint64_t learned = leave_out_learned(
        collection, load_classifier(collection, options.labels.classifier).learned_from, judged);
    if (learned > 0)
      say("{} judged pictures are left out, because the classifier was learned from them\n",
          with_thousands(learned));
  }
  if (!options.labels.calibration.empty())
    warn(kProgram,
         "where the calibration was fitted to the judged pictures, the promise is a little too "
         "bold");
  return judged;
}

struct Exported {
  uint64_t pictures = 0;
  uint64_t failed = 0;
};

// Pictures that could not be exported: the first few of each cause, and how many more there were.
// With several processes, the first one tells them, by their paths, when all have ended.
class FailureTeller {
 public:
  explicit FailureTeller(Ranks* ranks) : ranks_(ranks) {}

  void tell(const Error& error) {
    const std::string& cause = error.cause();
    const size_t colon = cause.rfind(": ");  // paths stand before it
    const std::string kind = colon == std::string::npos ? cause : cause.substr(colon + 2);
    if (++failures_[kind] > kShownOfACause) return;
    ranks_ == nullptr ? warn(kProgram, error.what()) : first_.push_back({kind, error});
  }

  void tell_rest() {
    if (ranks_ != nullptr) tell_those_of_all();
    for (const auto& [kind, count] : failures_) {
      if (count <= kShownOfACause) continue;
      warn(kProgram, fmt::format("{} more could not be exported: {}",
                                 with_thousands(count - kShownOfACause), kind));
    }
  }

 private:
  struct Failure {
    std::string kind;
    Error error;
  };
  static constexpr uint64_t kShownOfACause = 3;

  void tell_those_of_all() {
    ByteWriter out;
    out.varint(failures_.size());
    for (const auto& [kind, count] : std::exchange(failures_, {})) {
      out.text(kind);
      out.varint(count);
    }
    for (const Failure& failure : std::exchange(first_, {})) {
      out.text(failure.kind);
      out.text(bytes_of_error(failure.error));
    }
    for (const std::string& of_rank : ranks_->gather(out.bytes())) add(of_rank);
    std::ranges::stable_sort(first_, {}, [](const Failure& failure) -> const std::string& {
      return failure.error.subject();
    });
    std::map<std::string, uint64_t> shown;
    for (const Failure& failure : first_) {
      if (++shown[failure.kind] <= kShownOfACause) warn(kProgram, failure.error.what());
    }
  }

  void add(const std::string& of_rank) {
    ByteReader in(of_rank, kRanksMessage);
    for (uint64_t left = in.varint_at_most(in.left()); left > 0; --left) {
      const std::string kind(in.text());
      failures_[kind] += in.varint();
    }
    while (in.left() > 0) {
      std::string kind(in.text());
      first_.push_back({std::move(kind), error_of_bytes(in.text())});
    }
  }

  Ranks* ranks_;
  std::map<std::string, uint64_t> failures_;
  std::vector<Failure> first_;  // of each cause
};

// --multi: every label of each picture that reaches the threshold.
std::vector<std::vector<uint32_t>> labels_of_rows(const ExportOptions& options,
                                                  const View& collection,
                                                  const Labelling& labelling) {
  std::vector<std::vector<uint32_t>> of_row(collection.rows());
  ScanOptions scan_options;
  scan_options.threads = options.model.threads;
  scan_options.all_scores = true;
  const float threshold = labelling.threshold.value_or(kMultiThreshold);
  scan(collection, labelling, scan_options, [&](const PredictionBlock& block) {
    for (size_t i = 0; i < block.predictions.size(); ++i) {
      for (const Scored& label : labels_above(block, i, threshold))
        of_row[block.first_row + i].push_back(label.label);
    }
  });
  return of_row;
}

// A picture that fits none of the labels gets no keyword that says so.
std::vector<uint32_t> keyword_labels(const Classified& classified, Row row) {
  std::vector<uint32_t> labels;
  if (!classified.labels.empty()) {
    labels = classified.labels[row];
  } else if (const Prediction& prediction = classified.predictions[row]; prediction.winner) {
    labels = {prediction.answer().label};
  }
  if (classified.labelling.none) std::erase(labels, *classified.labelling.none);
  return labels;
}

ExportContext context_for(const ExportOptions& options, const Classified& classified,
                          const Chosen& chosen) {
  const std::vector<Label>& labels = classified.labelling.labels;
  ExportContext context(classified.collection, labels, classified.predictions);
  context.mode_name = options.mode.value_or("symlink");
  context.mode = parse_export_mode(context.mode_name);
  context.root = options.root;
  if (!options.root.empty()) context.keyword_root = options.root.string();
  if (options.in_file) context.keywords_in = KeywordsIn::Pictures;
  if (traits_of(options.format).writes_keywords)
    context.labels_of = [&classified](Row row) { return keyword_labels(classified, row); };
  context.model = classified.collection.manifest().model_name;
  context.fusion = way_name(options.labels);
  context.max_per_label = options.max_per_label;
  context.threads = options.model.threads;
  context.tree = classified.labelling.tree;
  context.validation = chosen.validation;
  return context;
}

// Each collection knows where its files are now; of several processes each tells its own ones, and
// the first one what went wrong.
void follow(const View& view, const std::vector<MovedFile>& moved, Ranks* ranks) {
  ByteWriter problems;
  for (const View::Part& part : view.parts()) {
    try {
      follow_moves(part.collection.directory(), moved);
    } catch (const Error& error) {
      problems.text(error.what());
    }
  }
  const std::vector<std::string> of_all =
      ranks == nullptr ? std::vector{std::move(problems).bytes()} : ranks->gather(problems.bytes());
  for (const std::string& bytes : of_all) {
    ByteReader in(bytes, kRanksMessage);
    while (in.left() > 0) {
      warn(kProgram,
           fmt::format("the collection could not be told where its files are now: {}; run "
                       "zeroshelf-index add with the old folder and the new one",
                       in.text()));
    }
  }
}

std::vector<std::filesystem::path> directories_of(const View& view) {
  std::vector<std::filesystem::path> directories;
  for (const View::Part& part : view.parts()) directories.push_back(part.collection.directory());
  return directories;
}

// What ended a move: the folder has pictures and journals now, so the same command is refused.
Error with_undo(const Error& error, const std::filesystem::path& target) {
  return {error.code(), error.subject(), error.cause(),
          fmt::format("when that is mended, zeroshelf-query undo {} puts back what was moved, then "
                      "export again; or export the rest into a new folder",
                      target.string())};
}

Exported write_target(const ExportOptions& options, const Classified& classified,
                      const Chosen& chosen, Band band, const std::filesystem::path& target) {
  Ranks* ranks = ranks_of(classified.collection);
  ExportContext context = context_for(options, classified, chosen);
  if (band == Band::Sure && chosen.promised) context.promise = chosen.promised->members();
  const bool moves = traits_of(options.format).places_pictures && context.mode == ExportMode::Move;
  FailureTeller failures(ranks);
  context.on_failure = [&](const Error& error) { failures.tell(error); };
  std::vector<MovedFile> moved;
  if (moves) {
    context.on_placed = [&](const std::filesystem::path& source,
                            const std::filesystem::path& placed) {
      moved.push_back({source.string(), placed.string()});
    };
    say("moving; zeroshelf-query undo {} puts every file back\n", printable(target.string()));
  }
  std::optional<RewriteFollower> follower;
  if (options.in_file) {
    follower.emplace(directories_of(classified.collection));
    context.on_rewritten = [&](const std::filesystem::path& collection,
                               std::span<const RewrittenFile> files) {
      follower->follow(collection, files);
    };
  }
  const auto sink = make_sink(options.format, target, context);
  if (const std::string exposure =
          traits_of(options.format).makes_folder ? exposure_of(target) : "";
      !exposure.empty())
    warn(kProgram,
         fmt::format("{}: {}: others may change what is put there", target.string(), exposure));
  try {
    sink->add_rows([&](Row row) { return chosen.bands.of_row[row] == band; });
    sink->finish();
  } catch (const Error& error) {
    if (moves) follow(classified.collection, moved, nullptr);  // what was moved until then
    if (follower) follower->finish();
    if (moves) throw with_undo(error, target);
    throw;
  } catch (...) {
    if (moves) follow(classified.collection, moved, nullptr);
    if (follower) follower->finish();
    throw;
  }
  if (follower) follower->finish();
  failures.tell_rest();
  if (moves) follow(classified.collection, moved, ranks);
  say("{}\n", sink->told(band == Band::Unsure ? "unsure " : ""));
  return {sink->exported(), sink->failed()};
}

std::string left_out_summary(const ExportOptions& options, const Bands& bands) {
  std::string text;
  if (bands.unsure > 0 && options.unsure_target.empty())
    text += fmt::format("{} unsure pictures left out", with_thousands(bands.unsure));
  if (bands.above_max > 0) {
    text += fmt::format("{}{} left out by --max-per-label", text.empty() ? "" : ", ",
                        with_thousands(bands.above_max));
  }
  return text;
}

// Labels that cannot be in both halves are left out, so that both number their classes alike.
// Returns which.
std::vector<uint32_t> finalise_image_folder(const ExportOptions& options,
                                            const Classified& classified, Bands& bands) {
  const std::vector<bool> validation = choose_validation(
      classified.collection, classified.labelling.labels.size(), classified.predictions, bands,
      options.validation.value_or(kDefaultValidation));
  const ImageFolderFaults faults =
      image_folder_faults(classified.collection, classified.labelling.labels.size(),
                          classified.predictions, bands, validation);
  std::string names;
  std::vector<uint32_t> left_out;
  for (const auto& [label, pictures] : faults.one_sided) {
    left_out.push_back(label);
    names += fmt::format("{}'{}' ({})", names.empty() ? "" : ", ",
                         classified.labelling.labels[label].name, with_thousands(pictures));
    leave_out(bands, classified.predictions, label);
  }
  if (!names.empty()) {
    warn(kProgram, "left out for having too few different pictures for both halves: " + names +
                       "; --validation 0 puts all into one half");
  }
  if (!left_out.empty() || faults.unread == 0) return left_out;
  std::string endings;
  for (const std::string& ending : faults.endings)
    endings += (endings.empty() ? "" : ", ") + (ending.empty() ? "no ending" : ending);
  warn(kProgram, fmt::format("{} pictures have file name endings that torchvision ignores: {}",
                             with_thousands(faults.unread), endings));
  return left_out;
}

// Takes what the flags and the format let through, and of that what keeps the promise.
std::optional<Promised> apply_limits(const ExportOptions& options, const Classified& classified,
                                     const JudgedPictures& judged, Bands& bands) {
  const auto finalise = [&](Bands& some) {
    return options.format == ExportFormat::ImageFolder
               ? finalise_image_folder(options, classified, some)
               : std::vector<uint32_t>();
  };
  if (!options.at_most_wrong) {
    while (!finalise(bands).empty()) continue;
    return std::nullopt;
  }
  for (;;) {
    Bands kept = bands;
    const Promised promised =
        keep_promise(classified.predictions, judged, {*options.at_most_wrong}, kept);
    const std::vector<uint32_t> left_out = finalise(kept);
    if (left_out.empty()) {
      bands = std::move(kept);
      return promised;
    }
    for (const uint32_t label : left_out) leave_out(bands, classified.predictions, label);
  }
}

BandOptions band_options(const ExportOptions& options, const std::vector<Label>& labels) {
  BandOptions bands;
  bands.min_score = options.min_score;
  bands.max_per_label =
      chosen_of_label(options.format, options.max_per_label, options.at_most_wrong.has_value());
  bands.only = find_labels("--only", options.only, labels);
  return bands;
}

struct Decided {
  Classified classified;
  Chosen chosen;
};

// ranks: of the collection, and only where nothing rests on the answers of all together.
Decided decide(const ExportOptions& options, const View& collection,
               const LabellingRequest& request, Ranks* ranks) {
  ModelSource encoders(collection, options.model);
  Decided decided{{collection, labelling_for(collection, request, encoders, ranks), {}, {}}, {}};
  Classified& classified = decided.classified;
  Chosen& chosen = decided.chosen;
  const Labelling& labelling = classified.labelling;
  warn_of_labels(labelling, encoders);
  JudgedPictures judged;
  std::chrono::steady_clock::time_point start;
  in_all(ranks, [&] {
    const BandOptions wanted = band_options(options, labelling.labels);
    if (options.at_most_wrong) judged = read_judged(options, collection, labelling);
    start = std::chrono::steady_clock::now();
    classified.predictions = classify(collection, labelling, options.model.threads);
    if (options.multi) classified.labels = labels_of_rows(options, collection, labelling);
    chosen.bands =
        choose_bands(collection, labelling.labels.size(), classified.predictions, wanted);
  });
  const PictureCounts counts =
      of_all(count_pictures(collection, labelling, classified.predictions), ranks);
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  say("{} pictures labelled with {} labels in {:.3g} ms\n", with_thousands(collection.pictures()),
      labelling.labels.size(), spent.count());
  say("{}\n", count_summary(labelling.labels, counts));
  chosen.promised = apply_limits(options, classified, judged, chosen.bands);
  if (chosen.promised) {
    for (const std::string& line : told_promise(*chosen.promised)) say("{}\n", line);
  }
  if (traits_of(options.format).splits) {
    chosen.validation =
        choose_validation(collection, labelling.labels.size(), classified.predictions, chosen.bands,
                          options.validation.value_or(kDefaultValidation));
  }
  if (ranks != nullptr) ranks->add_up(std::span(&chosen.bands.unsure, 1));
  if (const std::string left_out = left_out_summary(options, chosen.bands); !left_out.empty())
    say("{}\n", left_out);
  return decided;
}

// --- several processes ---------------------------------------------------------------------------

// What is chosen by the answers of all, or rests on pictures that may be anywhere.
bool needs_all_parts(const ExportOptions& options, const LabellingRequest& request) {
  return options.max_per_label || options.at_most_wrong || traits_of(options.format).splits ||
         has_examples(request.labels);
}

// A byte a row.
std::string marks_of(const Chosen& chosen) {
  std::string marks;
  marks.reserve(chosen.bands.of_row.size());
  for (Row row = 0; row < chosen.bands.of_row.size(); ++row) {
    const bool validates = row < chosen.validation.size() && chosen.validation[row];
    marks += static_cast<char>(static_cast<unsigned>(chosen.bands.of_row[row]) * 2 + validates);
  }
  return marks;
}

Chosen chosen_of(std::string_view marks) {
  Chosen chosen;
  for (const char mark : marks) {
    chosen.bands.of_row.push_back(static_cast<Band>(static_cast<unsigned char>(mark) / 2));
    chosen.validation.push_back(mark % 2 != 0);
  }
  return chosen;
}

// What the first process knows of all rows -> what it knows of this process's, which come in the
// order of the processes.
std::string own_marks(uint64_t rows, const std::string& of_all, Ranks& ranks) {
  ByteWriter own;
  own.number(rows);
  std::vector<uint64_t> counts;
  for (const std::string& bytes : ranks.gather(own.bytes()))
    counts.push_back(ByteReader(bytes, kRanksMessage).number<uint64_t>());
  ranks.agree_after([&] {
    if (std::accumulate(counts.begin(), counts.end(), uint64_t{0}) == of_all.size()) return;
    throw Error(ErrorCode::Unavailable, "the collections", "one of them was changed meanwhile",
                "export again");
  });
  if (!ranks.is_first()) return ranks.receive(0);
  size_t end = rows;
  for (size_t rank = 1; rank < ranks.size(); ++rank) {
    ranks.send(rank, std::string_view(of_all).substr(end, counts[rank]));
    end += counts[rank];
  }
  return of_all.substr(0, rows);
}

// The first process opens all parts, too, and chooses for all.
Decided decide_by_first(const ExportOptions& options, const View& collection,
                        const LabellingRequest& request, Ranks& ranks) {
  std::string marks;
  std::optional<Promised> promised;
  const std::string labelling = ranks.made_by_first([&] {
    const View whole = open_view(options.collections).view;
    const Decided decided = decide(options, whole, request, nullptr);
    marks = marks_of(decided.chosen);
    promised = decided.chosen.promised;
    return bytes_of_labelling(decided.classified.labelling);
  });
  Decided own{{collection, labelling_of_bytes(labelling), {}, {}},
              chosen_of(own_marks(collection.rows(), marks, ranks))};
  own.chosen.promised = std::move(promised);
  ranks.agree_after([&] {
    own.classified.predictions =
        classify(collection, own.classified.labelling, options.model.threads);
  });
  return own;
}

// request: of the first process; the others need none.
int export_all(const ExportOptions& options, const LabellingRequest& request, Ranks* ranks) {
  const View collection = open_view(options.collections, ranks, std::nullopt).view;
  const bool by_first =
      ranks != nullptr && !ranks->broadcast(needs_all_parts(options, request) ? "all" : "").empty();
  const auto [classified, chosen] = by_first ? decide_by_first(options, collection, request, *ranks)
                                             : decide(options, collection, request, ranks);
  Exported exported = write_target(options, classified, chosen, Band::Sure, options.target);
  if (!options.unsure_target.empty()) {
    const Exported unsure =
        write_target(options, classified, chosen, Band::Unsure, options.unsure_target);
    exported.pictures += unsure.pictures;
    exported.failed += unsure.failed;
  }
  if (exported.failed > 0) return kFailed;
  return exported.pictures > 0 ? kDone : kNothingFound;
}

int export_together(const ExportOptions& options, Ranks* ranks) {
  LabellingRequest request;
  in_all(ranks, [&] {
    check_flags(options);
    if (ranks != nullptr && !ranks->is_first()) return;
    check_targets(options);
    request = labelling_request(options.labels);
    request.several = options.multi;
  });
  const ExportFormatTraits& format = traits_of(options.format);
  if (ranks == nullptr || format.placed_together) return export_all(options, request, ranks);
  ranks->part();
  if (!ranks->is_first()) return kDone;
  note(fmt::format("--format {} is the work of one process: the others wait ({} is that of all)",
                   format.name, formats_with(&ExportFormatTraits::placed_together)));
  return export_all(options, request, nullptr);
}

int run_export(const ExportOptions& options) {
  return together(std::nullopt, [&](Ranks* ranks) { return export_together(options, ranks); });
}

// What a target is by its ending.
ExportFormat format_of(const std::filesystem::path& target) {
  const std::string ending = target.extension().string();
  if (ending == ".html" || ending == ".htm") return ExportFormat::Html;
  if (ending == ".csv") return ExportFormat::Csv;
  return ending == ".jsonl" ? ExportFormat::Jsonl : ExportFormat::Folders;
}

// Where what an undo needs is kept unless the user says: beside the collection.
std::filesystem::path keywords_folder(const std::filesystem::path& collection) {
  const std::string name = absolute_path(collection).string() + "-keywords";
  std::filesystem::path folder = name;
  std::error_code ignored;
  for (int number = 2; std::filesystem::exists(std::filesystem::symlink_status(folder, ignored));
       ++number)
    folder = fmt::format("{}-{}", name, number);
  return folder;
}

void add_band_flags(CLI::App* command, ExportOptions& options) {
  command
      ->add_option("--min-score", options.min_score,
                   "A picture with a lower score is unsure, like an unlabelled one")
      ->type_name("SCORE")
      ->group("Which pictures");
  command
      ->add_option(
          "--at-most-wrong", options.at_most_wrong,
          "Export as many pictures as possible of which at most this share is wrong, with 95 % "
          "confidence by the known labels; the others are unsure")
      ->transform(share_below_one())
      ->type_name("SHARE")
      ->group("Which pictures");
  command
      ->add_option("--unsure-to", options.unsure_target,
                   "Export unsure pictures here, in the same format; default: leave them out")
      ->type_name("DIR|FILE")
      ->group("Which pictures");
  command
      ->add_option(
          "--max-per-label", options.max_per_label,
          "At most this many pictures of each label, best first; default: all, on a page " +
              std::to_string(PageOptions().max_per_label))
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->group("Which pictures");
  command
      ->add_option("--only", options.only,
                   "Only pictures that get this one of the labels; may be repeated")
      ->type_name("LABEL")
      ->allow_extra_args(false)
      ->group("Which pictures");
}

}  // namespace

void add_export(Program& program) {
  const auto shared = std::make_shared<ExportOptions>();
  ExportOptions& options = *shared;
  CLI::App* command = program.add_command(
      "export", "Put the pictures into folders by label, or write them as a data set or a page",
      [shared] {
        shared->format = shared->given_format.value_or(format_of(shared->target));
        if (shared->target.empty() && traits_of(shared->format).writes_keywords)
          shared->target = keywords_folder(shared->collections.front());
        return run_export(*shared);
      });
  add_collections(command, options.collections);
  add_label_flags(command, options.labels);
  add_fusion_flag(command, options.labels);
  add_none_flags(command, options.labels);
  command
      ->add_option(
          "--to", options.target,
          "Folder or file to make; nothing is ever overwritten. xmp: the folder for what undo "
          "needs, by default COLLECTION-keywords")
      ->type_name("DIR|FILE");
  std::vector<Choice<std::optional<ExportFormat>>> formats;
  for (const ExportFormatTraits& traits : export_formats())
    formats.push_back({std::string(traits.name), traits.format});
  add_choice(command, "--format", options.given_format, formats,
             "What to make: folders of pictures, lists, annotations, a page with thumbnails, or "
             "keywords in sidecars that photo programs read")
      ->default_str("folders; html, csv or jsonl if the target ends like that");
  command
      ->add_option(
          "--mode", options.mode,
          "How pictures get into folders (zeroshelf-query undo DIR reverts a move; started by "
          "mpirun or srun, each process places those of its parts)")
      ->check(one_of({"symlink", "hardlink", "copy", "move"}))
      ->default_str("symlink");
  command
      ->add_option("--validation", options.validation,
                   "imagefolder: share of each label for validation, the same pictures every time")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE")
      ->default_str("0.2");
  command
      ->add_option(
          "--root", options.root,
          "labelstudio, coco: folder that paths are relative to (Label Studio's local files "
          "document root); xmp: the keyword under which labels are put (default: zeroshelf)")
      ->type_name("DIR|KEYWORD");
  command->add_flag(
      "--in-file", options.in_file,
      "xmp: into the pictures themselves (JPEG, PNG, WebP, TIFF) in place of sidecars; "
      "pixels and everything else stay, and nothing is indexed again");
  command->add_flag(
      "--multi", options.multi,
      fmt::format(
          "xmp: a keyword for every label with a score of at least --threshold (default {})",
          kMultiThreshold));
  add_band_flags(command, options);
  add_truth_flags(command, options.truth)
      ->require_option(0, 1)
      ->description("For --at-most-wrong, exactly one of");
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
