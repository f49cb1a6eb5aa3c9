// search: texts and pictures -> the pictures that fit them. Tested by tests/programs.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lib/collection/open_view.h"
#include "lib/export/indexed_picture.h"
#include "lib/image/encode_jpeg.h"
#include "lib/image/thumbnail.h"
#include "lib/labelling/run.h"
#include "lib/program/message.h"
#include "lib/program/values.h"
#include "lib/report/formats.h"
#include "lib/report/hit_groups.h"
#include "lib/report/messages.h"
#include "lib/report/terminal_picture.h"
#include "lib/report/terminal_table.h"
#include "lib/search/background.h"
#include "lib/search/findable_rows.h"
#include "lib/search/gathered_hits.h"
#include "lib/search/search.h"
#include "lib/search/search_cut.h"
#include "lib/search/search_terms.h"
#include "lib/util/error.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "models/flags/model_source.h"
#include "query/commands.h"
#include "query/flags.h"
#include "query/together.h"
#include "query/told_apart.h"

namespace zeroshelf {
namespace {

struct SearchOptions {
  std::vector<std::filesystem::path> collections;
  std::string text;
  std::string image;
  std::string like;
  std::filesystem::path vector;
  std::optional<uint64_t> row;  // of the file `vector`
  std::filesystem::path background;
  std::vector<std::string> plus;
  std::vector<std::string> minus;
  std::vector<float> weights;
  uint64_t count = 10;
  SearchSpace space = SearchSpace::Both;
  bool all = false;
  bool exact = false;
  bool group = false;
  bool partial = false;
  std::optional<double> deadline_s;
  RecordFilter filter;
  bool has_text = false;
  bool no_text = false;
  std::string since;
  std::string until;
  std::string run;
  std::vector<std::string> labels;
  OutputFormat format = OutputFormat::Table;
  std::optional<PictureProtocol> thumbnails;  // absent: what the terminal says
  ModelOptions model;
};

CLI::Validator row_number() {
  return {[](const std::string& value) -> std::string {
            const bool is_number = !value.empty() && std::ranges::all_of(value, [](char c) {
              return c >= '0' && c <= '9';
            });
            return is_number ? "" : fmt::format("'{}' is no row; rows are numbered from 0", value);
          },
          ""};
}

std::vector<SearchTerm> terms_of_options(const SearchOptions& options) {
  const size_t signed_terms = options.plus.size() + options.minus.size();
  if (options.weights.size() > 1 && options.weights.size() != signed_terms) {
    throw Error(ErrorCode::InvalidArgument, "--weight",
                fmt::format("{} weights for {} of --plus and --minus", options.weights.size(),
                            signed_terms),
                "give one for all, or one for each in the order --plus, --minus");
  }
  if (!options.weights.empty() && signed_terms == 0) {
    throw Error(ErrorCode::InvalidArgument, "--weight", "has no effect without --plus or --minus",
                "leave it out");
  }
  using Kind = SearchTerm::Kind;
  std::vector<SearchTerm> terms;
  if (!options.text.empty()) terms.push_back({Kind::Text, options.text, 1});
  if (!options.image.empty()) terms.push_back({Kind::PictureFile, options.image, 1});
  if (!options.like.empty()) terms.push_back({Kind::PictureOfCollection, options.like, 1});
  if (!options.vector.empty())
    terms.push_back({Kind::Vector, options.vector.string(), 1, options.row.value_or(0)});
  size_t place = 0;
  const auto weight = [&] {
    const size_t at = place++;
    return options.weights.empty() ? 1 : options.weights[options.weights.size() == 1 ? 0 : at];
  };
  for (const std::string& term : options.plus) terms.push_back(parse_term(term, weight()));
  for (const std::string& term : options.minus) terms.push_back(parse_term(term, -weight()));
  if (terms.empty()) {
    throw Error(ErrorCode::InvalidArgument, "search", "nothing to search for",
                "give a text, a picture with --image FILE or --like PATH, or --vector FILE.npy");
  }
  return terms;
}

RecordFilter filter_of_options(const SearchOptions& options) {
  RecordFilter filter = options.filter;
  if (options.has_text) filter.has_text = true;
  if (options.no_text) filter.has_text = false;
  if (!options.since.empty()) filter.since_ns = start_of_day_ns("--since", options.since);
  if (!options.until.empty()) filter.until_ns = start_of_day_ns("--until", options.until, 1);
  return filter;
}

class HitWriter {
 public:
  HitWriter(const View& collection, const HitFacts& facts, const LexicalQuery& lexical,
            SearchSpace space, OutputFormat format, std::optional<PictureProtocol> thumbnails)
      : collection_(collection), facts_(facts), lexical_(lexical), space_(space), format_(format) {
    if (format_ == OutputFormat::Table && out_.is_terminal()) {
      protocol_ = thumbnails
                      ? *thumbnails
                      : announced_protocol([](const char* name) { return std::getenv(name); });
    }
  }

  void write(const std::vector<HitGroup>& groups) {
    if (format_ == OutputFormat::Table && !groups.empty())
      out_.write("RANK SCORE  BY      PICTURE TEXT   WORDS                PATH\n");
    const auto is_weak = [](const HitGroup& group) { return !group.hit.fits.value_or(true); };
    const auto good = std::ranges::find_if(groups, is_weak) - groups.begin();
    for (size_t i = 0; i < groups.size(); ++i) {
      if (format_ == OutputFormat::Table && i == static_cast<size_t>(good))
        out_.write("weak matches:\n");
      out_.write(line(i + 1, groups[i]));
      if (protocol_ != PictureProtocol::None) out_.write_commands(picture(groups[i].hit.row));
    }
    out_.flush();
  }

 private:
  std::string line(size_t rank, const HitGroup& group) const {
    const std::string path = path_of(group.hit.row);
    switch (format_) {
      case OutputFormat::Paths:
        return path + "\n";
      case OutputFormat::NulPaths:
        return path + '\0';
      case OutputFormat::Jsonl:
        return json(rank, group, path);
      default:
        return row(rank, group, path);
    }
  }

  // Nothing where the file is gone or another one now.
  std::string picture(Row row) const {
    constexpr int kLongerSidePx = 240;
    const auto image = indexed_picture(collection_.record(row));
    if (std::holds_alternative<Skip>(image)) return "";
    const Image small = shrunk(std::get<Image>(image), kLongerSidePx);
    return terminal_picture(protocol_, encode_png(small), small.width_px, small.height_px);
  }

  std::string path_of(Row row) const { return facts_.path(row); }

  std::string json(size_t rank, const HitGroup& group, const std::string& path) const {
    const std::vector<Word> words = facts_.words(group.hit.row);
    const std::vector<MatchedWord> matches = matched_words(lexical_, words);
    message::Hit hit = hit_message(facts_, group, path, words, matches, space_);
    hit.rank = rank;
    return json_line(hit);
  }

  std::string row(size_t rank, const HitGroup& group, const std::string& path) const {
    const SearchHit& hit = group.hit;
    const std::vector<Word> words = facts_.words(hit.row);
    std::string matched;
    for (const MatchedWord& match : matched_words(lexical_, words))
      matched += (matched.empty() ? "" : " ") + words[match.word].text;
    const std::string before =
        fmt::format("{:4} {:6.1f} {:7} {:7.3f} {:6} {} ", rank, hit.score, found_by(hit, space_),
                    hit.image_score, hit.text_score ? fmt::format("{:.3f}", *hit.text_score) : "-",
                    table_cell(matched, 20));
    std::string after = is_gone(path) ? "  (gone)" : "";
    if (!group.similar.empty()) after += fmt::format("  (+{} alike)", group.similar.size());
    return line_with_path(before, path, after, terminal_columns(stdout));
  }

  const View& collection_;
  const HitFacts& facts_;
  const LexicalQuery& lexical_;
  SearchSpace space_;
  OutputFormat format_;
  PictureProtocol protocol_ = PictureProtocol::None;
  OutputStream out_{stdout, "standard output"};
};

std::string nothing_found(uint64_t searched, const LexicalQuery& lexical, bool cut) {
  if (searched > 0) {
    return fmt::format("no good match among {} pictures{}", with_thousands(searched),
                       cut ? "; --all shows the closest" : "");
  }
  return lexical.phrases.empty() ? "no picture passes the filters"
                                 : "no picture has these words in its text";
}

// The part of the view that answers, and the code of an answer without the others.
int told_of_lost(const OpenedView& opened, int code) {
  if (opened.is_whole()) return code;
  for (const Error& error : opened.lost) warn("zeroshelf-query", error.what());
  say("coverage: {}/{}\n", opened.parts - opened.lost.size(), opened.parts);
  return kSomeSkipped;
}

// Where several words have no quotes, all but the last are taken for collections.
OpenedView open_named(const SearchOptions& options, Ranks* ranks) {
  try {
    return open_view(options.collections, ranks, options.deadline_s,
                     options.partial ? LostParts::LeaveOut : LostParts::Refuse);
  } catch (const Error& error) {
    const bool is_first = error.subject() == options.collections.front().string();
    if (error.code() != ErrorCode::NotFound || options.collections.size() == 1 || is_first) throw;
    throw Error(error.code(), error.subject(), "no such collection",
                "put a text of several words in quotes");
  }
}

// The rows that may be found, and how many of all parts these are.
struct Admitted {
  std::vector<bool> rows;
  uint64_t count = 0;
};

Admitted admitted(const View& collection, const SearchOptions& options, const RecordFilter& filter,
                  const MadeQuery& made, Ranks* ranks) {
  Admitted result;
  in_all(ranks, [&] {
    std::vector<std::vector<bool>> labelled;
    if (!options.run.empty())
      labelled.push_back(
          rows_with_label(collection, load_run(collection, options.run), options.labels));
    result.rows = findable_rows(collection, filter, made, labelled);
  });
  result.count = static_cast<uint64_t>(std::ranges::count(result.rows, true));
  if (ranks != nullptr) ranks->add_up(std::span(&result.count, 1));
  return result;
}

void check_query(const SearchOptions& options, const MadeQuery& made) {
  if (options.space == SearchSpace::Picture && !made.query.lexical.phrases.empty()) {
    throw Error(ErrorCode::InvalidArgument, "--in picture",
                "a phrase in quotes is looked for in the text", "use --in text or --in both");
  }
}

int search_together(SearchOptions options, Ranks* ranks) {
  std::vector<SearchTerm> terms;
  RecordFilter filter;
  in_all(ranks, [&] {
    if (options.text.empty())
      options.text =
          take_last(options.collections, LastArgument::MayLack, nanoseconds(options.deadline_s))
              .value_or("");
    terms = terms_of_options(options);
    filter = filter_of_options(options);
  });
  const SearchSpace space = options.space;
  const OpenedView opened = open_named(options, ranks);
  const View& collection = opened.view;
  ModelSource encoders(collection, options.model);
  MadeQuery made = make_query(collection, terms, space, encoders);
  in_all(ranks, [&] {
    if (!options.background.empty())
      made.background = background_of_file(collection, options.background);
    check_query(options, made);
  });
  if (const Encoder* encoder = encoders.loaded_for_texts()) {
    for (const SearchTerm& term : terms) {
      if (term.kind == SearchTerm::Kind::Text) warn_of_cut_texts(*encoder, {&term.value, 1});
    }
  }
  const LexicalQuery& lexical = made.query.lexical;
  const Admitted allowed = admitted(collection, options, filter, made, ranks);
  SearchLimits limits;
  limits.space = space;
  limits.threads = options.model.threads;
  limits.keep = [&](Row row) { return allowed.rows[row]; };
  if (options.exact) limits.reach = SearchReach::EveryRow;
  limits.count = options.group ? options.count * 4 + 64 : options.count;
  if (lexical.phrases.empty() && made.background.rows() > 0)
    limits.fits = Fit(collection, made.query, made.background, space);
  limits.weak = options.all;
  const bool paths_only =
      options.format == OutputFormat::Paths || options.format == OutputFormat::NulPaths;
  const GatheredHits found =
      gathered_hits(collection, search(collection, made.query, limits), space, limits.count,
                    {.words = !paths_only, .vectors = options.group});
  const std::vector<HitGroup> groups =
      options.group
          ? group_hits(*found.facts, collection.manifest().dimension, found.hits, options.count)
          : single_hits(found.hits);
  HitWriter(collection, *found.facts, lexical, space, options.format, options.thumbnails)
      .write(groups);
  if (!groups.empty()) return told_of_lost(opened, kDone);
  note(nothing_found(allowed.count, lexical, limits.fits && !options.all));
  return told_of_lost(opened, kNothingFound);
}

int run_search(const SearchOptions& options) {
  return together(options.deadline_s,
                  [&](Ranks* ranks) { return search_together(options, ranks); });
}

void add_filters(CLI::App* command, SearchOptions& options) {
  const std::string group = "Only pictures";
  const auto day = [&](const char* flag, std::string& value, const char* help) {
    command->add_option(flag, value, help)->type_name("YYYY-MM-DD")->group(group);
  };
  command
      ->add_option("--path", options.filter.paths,
                   "whose name matches the pattern, or whose path if it has a /; may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false)
      ->group(group);
  command
      ->add_flag_callback(
          "--path-case", [&options] { options.filter.path_case = PathCase::Match; },
          "whose path matches --path also in upper and lower case")
      ->group(group);
  day("--since", options.since, "modified on that day or later");
  day("--until", options.until, "modified on that day or earlier");
  const auto number = [&](const char* flag, auto& value, const char* help) {
    command->add_option(flag, value, help)->type_name("N")->group(group);
  };
  command
      ->add_option("--min-size", options.filter.min_bytes,
                   "of at least this size in bytes (or 2.5MB)")
      ->transform(byte_size(true))
      ->group(group);
  command->add_option("--max-size", options.filter.max_bytes, "of at most this size")
      ->transform(byte_size(true))
      ->group(group);
  number("--min-width", options.filter.min_width, "at least this many pixels wide");
  number("--max-width", options.filter.max_width, "at most this many pixels wide");
  number("--min-height", options.filter.min_height, "at least this many pixels high");
  number("--max-height", options.filter.max_height, "at most this many pixels high");
  CLI::Option* has_text =
      command->add_flag("--has-text", options.has_text, "with text in them")->group(group);
  command->add_flag("--no-text", options.no_text, "without text in them")
      ->excludes(has_text)
      ->group(group);
  CLI::Option* run =
      command->add_option("--run", options.run, "labelled --label by this run of classify --save")
          ->type_name("NAME")
          ->group(group);
  CLI::Option* label =
      command
          ->add_option("--label", options.labels,
                       "with this label in --run; may be repeated, any of them counts")
          ->type_name("LABEL")
          ->allow_extra_args(false)
          ->needs(run)
          ->group(group);
  run->needs(label);
}

}  // namespace

void add_search(Program& program) {
  const auto shared = std::make_shared<SearchOptions>();
  SearchOptions& options = *shared;
  CLI::App* command =
      program.add_command("search", "Find the pictures that fit a text or a picture",
                          [shared] { return run_search(*shared); });
  add_collections(command, options.collections);
  command->add_option(
      "TEXT", options.text,
      "What to look for; \"words in quotes\" must appear in the picture's text exactly");
  command->add_option("--image", options.image, "A picture to look for; with TEXT, both count")
      ->type_name("FILE");
  command
      ->add_option(
          "--like", options.like,
          "Find what is like this picture of the collection; its name is enough if only one "
          "has it")
      ->type_name("PATH");
  CLI::Option* vector =
      command
          ->add_option("--vector", options.vector,
                       "Search by a vector of a text or picture, made by the collection's model")
          ->type_name("FILE.npy");
  command->add_option("--row", options.row, "Row of --vector, from 0; default: the first")
      ->type_name("N")
      ->check(row_number())
      ->needs(vector);
  command
      ->add_option(
          "--background", options.background,
          "Vectors of everyday things, to tell good matches from weak ones; default: built-in "
          "prompts, if the model is available")
      ->type_name("FILE.npy");
  command->add_option("--plus", options.plus, "Add a text, or @FILE for a picture; may be repeated")
      ->type_name("TERM")
      ->allow_extra_args(false);
  command
      ->add_option("--minus", options.minus,
                   "Subtract a text, or @FILE for a picture; may be repeated")
      ->type_name("TERM")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--weight", options.weights,
          "Weights of --plus and --minus: one for all or one each, --plus first; TEXT has 1")
      ->check(CLI::Range(0.0, 1000.0))
      ->allow_extra_args(false);
  command->add_option("-k", options.count, "Number of hits")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}))
      ->capture_default_str();
  add_choice(
      command, "--in", options.space,
      {{"picture", SearchSpace::Picture}, {"text", SearchSpace::Text}, {"both", SearchSpace::Both}},
      "Search the pictures, the text in them, or both");
  command->add_flag("--all", options.all, "Also show weak matches, after the good ones");
  command->add_flag("--exact", options.exact,
                    "Compare with every picture, even in a collection of a million or more");
  command->add_flag("--partial", options.partial,
                    "Answer without the collections that are missing or damaged: exit code 3, and "
                    "stderr says how many answered");
  add_deadline_flag(command, options.deadline_s);
  command->add_flag("--group,!--no-group", options.group,
                    "Show nearly identical pictures as one hit");
  add_filters(command, options);
  CLI::Option* format = add_format(command, options.format,
                                   {OutputFormat::Table, OutputFormat::Jsonl, OutputFormat::Paths});
  add_null_flag(command, options.format, format);
  add_choice(command, "--thumbnails", options.thumbnails,
             {{"auto", std::nullopt},
              {"never", PictureProtocol::None},
              {"kitty", PictureProtocol::Kitty},
              {"iterm", PictureProtocol::Iterm}},
             "Show pictures in the table; auto: if the terminal says that it can");
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
