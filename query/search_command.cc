// search: a text or a picture -> the pictures nearest to it. Tested by tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/output/formats.h"
#include "lib/output/output_stream.h"
#include "lib/util/error.h"
#include "lib/util/text.h"
#include "models/flags/model_flags.h"
#include "query/flags.h"
#include "query/read_crop.h"
#include "query/search.h"

namespace zeroshelf {
namespace {

struct SearchOptions {
  std::filesystem::path collection;
  std::string text;
  std::filesystem::path image;
  uint64_t count = 10;
  std::string space = "picture";
  std::string format = "table";
  ModelOptions model;
};

std::vector<float> query_vector(const SearchOptions& options, const Manifest& manifest) {
  const bool by_text = !options.text.empty();
  const bool by_image = !options.image.empty();
  const EncoderSide side = by_text && by_image ? EncoderSide::Both
                           : by_text           ? EncoderSide::TextOnly
                                               : EncoderSide::ImageOnly;
  const auto encoder = load_model_of(manifest, options.model, side);
  std::vector<float> query(manifest.dimension);
  const auto add = [&](const Matrix& vectors) {
    std::transform(query.begin(), query.end(), vectors.row(0).begin(), query.begin(),
                   std::plus<>());
  };
  if (by_text) add(encoder->encode_texts(std::span(&options.text, 1), LongText::Truncate));
  if (by_image) {
    const Image crop = read_crop(options.image, encoder->info().preprocessing);
    add(encoder->encode_images(std::span(&crop, 1)));
  }
  normalise(query);
  return query;
}

std::string hit_json(size_t rank, const SearchHit& hit, float score, const std::string& path,
                     const std::string& text) {
  std::string line = fmt::format("{{\"type\":\"hit\",\"rank\":{},", rank);
  append_json_path(line, path);
  fmt::format_to(std::back_inserter(line),
                 ",\"score\":{},\"image_score\":{},\"text_score\":{},\"ocr_text\":", score,
                 hit.image_score, hit.text_score ? fmt::to_string(*hit.text_score) : "null");
  append_json_string(line, text);
  return line + "}\n";
}

int run_search(const SearchOptions& options) {
  if (options.text.empty() && options.image.empty()) {
    throw Error(ErrorCode::InvalidArgument, "search", "nothing to search for",
                "give a text, or a picture with --image FILE");
  }
  const SearchSpace space = options.space == "text" ? SearchSpace::Text : SearchSpace::Picture;
  const Collection collection = Collection::open(options.collection);
  const std::vector<float> query = query_vector(options, collection.manifest());
  const std::vector<SearchHit> hits =
      search(collection, query, options.count, space, options.model.threads);

  OutputStream out(stdout, "standard output");
  if (options.format == "table") out.write("RANK SCORE  PICTURE TEXT   PATH\n");
  for (size_t i = 0; i < hits.size(); ++i) {
    const SearchHit& hit = hits[i];
    const float score = hit.score(space);
    const std::string path = collection.record(hit.row).file.path;
    if (options.format == "paths") {
      out.write(path + "\n");
    } else if (options.format == "jsonl") {
      out.write(hit_json(i + 1, hit, score, path, joined_text(collection.words(hit.row))));
    } else {
      out.write(fmt::format("{:4} {:6.3f} {:6.3f}  {:6} {}\n", i + 1, score, hit.image_score,
                            hit.text_score ? fmt::format("{:.3f}", *hit.text_score) : "-",
                            printable(path)));
    }
  }
  out.flush();
  return hits.empty() ? kNothingFound : kDone;
}

}  // namespace

void add_search(Program& program) {
  const auto shared = std::make_shared<SearchOptions>();
  SearchOptions& options = *shared;
  CLI::App* command =
      program.add_command("search", "Find the pictures nearest to a text or a picture",
                          [shared] { return run_search(*shared); });
  add_collection(command, options.collection);
  command->add_option("TEXT", options.text, "What to look for");
  command->add_option("--image", options.image, "A picture to look for; with TEXT, both count")
      ->type_name("FILE");
  command->add_option("-k", options.count, "How many hits")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}))
      ->capture_default_str();
  command->add_option("--in", options.space, "Compare with the pictures, or with the text in them")
      ->check(CLI::IsMember({"picture", "text"}))
      ->capture_default_str();
  add_format(command, options.format, {"table", "jsonl", "paths"});
  add_model_flags(command, options.model, "Default: the collection's model");
}

}  // namespace zeroshelf
