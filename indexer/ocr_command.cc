// ocr: pictures -> the words in them, one JSON line each. Tested by tests/programs.

#include "indexer/commands.h"

#include <fmt/format.h>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "lib/image/decode.h"
#include "lib/ocr/text_reader.h"
#include "lib/output/formats.h"
#include "lib/output/output_stream.h"
#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "zeroshelf-index";

struct OcrOptions {
  std::vector<std::filesystem::path> images;
  std::string languages = "eng";
};

std::string ocr_json(const fs::path& path, const std::vector<Word>& words) {
  std::string line = "{\"type\":\"ocr\",";
  append_json_path(line, path.string());
  line += ",\"text\":";
  append_json_string(line, joined_text(words));
  line += ",\"words\":[";
  for (size_t i = 0; i < words.size(); ++i) {
    const Word& word = words[i];
    line += i == 0 ? "{\"text\":" : ",{\"text\":";
    append_json_string(line, word.text);
    fmt::format_to(
        std::back_inserter(line),
        ",\"confidence\":{:.3f},\"box\":{{\"x\":{},\"y\":{},\"width\":{},\"height\":{}}}}}",
        word.confidence, word.box.x, word.box.y, word.box.width, word.box.height);
  }
  return line + "]}\n";
}

int run_ocr(const OcrOptions& options) {
  TextReader reader(TextReaderOptions{options.languages});
  OutputStream out(stdout, "standard output");
  const DecodeLimits limits;
  bool any_failed = false;
  const auto fail = [&](const fs::path& path, const std::string& message) {
    warn(kProgram, path.string() + ": " + message);
    any_failed = true;
  };
  for (const fs::path& path : options.images) {
    std::string bytes;
    try {
      bytes = read_file(path, limits.max_bytes);
    } catch (const Error& error) {
      fail(path, error.cause());
      continue;
    }
    const auto decoded = decode_image(std::as_bytes(std::span(bytes)), limits);
    if (const Skip* skip = std::get_if<Skip>(&decoded)) {
      fail(path, skip->detail);
      continue;
    }
    out.write(ocr_json(path, reader.read(std::get<Image>(decoded))));
    out.flush();
  }
  return any_failed ? kFailed : kDone;
}

}  // namespace

void add_ocr(Program& program) {
  const auto shared = std::make_shared<OcrOptions>();
  OcrOptions& options = *shared;
  CLI::App* command =
      program.add_command("ocr", "Show the words that are read in pictures, one JSON line each",
                          [shared] { return run_ocr(*shared); });
  command->add_option("IMAGE", options.images, "Picture files")->required();
  command->add_option("--ocr-lang", options.languages, "Tesseract languages, e.g. eng+deu")
      ->capture_default_str();
}

}  // namespace zeroshelf
