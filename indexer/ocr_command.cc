// ocr: pictures -> the words in them, one JSON line each. Tested by tests/programs.

#include "indexer/commands.h"

#include <fmt/format.h>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "indexer/ocr_flags.h"
#include "lib/collection/foreign.h"
#include "lib/files/new_file.h"
#include "lib/image/decode.h"
#include "lib/image/encode_jpeg.h"
#include "lib/ocr/overlay.h"
#include "lib/ocr/text_reader.h"
#include "lib/report/messages.h"
#include "lib/util/error.h"
#include "lib/util/input.h"
#include "lib/util/output_stream.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "zeroshelf-index";

struct OcrOptions {
  std::vector<std::filesystem::path> images;
  TextReaderOptions reader;
  std::filesystem::path draw;  // a file, or for several pictures a folder; empty: nothing is drawn
};

// Where the drawings go: one file for one picture, a new or existing folder for several. A drawing
// never takes the place of a file.
class Drawings {
 public:
  explicit Drawings(const OcrOptions& options)
      : to_(options.draw), is_folder_(options.images.size() > 1 || fs::is_directory(options.draw)) {
    if (to_.empty()) return;
    expect_outside_collections(to_);
    if (is_folder_) {
      std::error_code error;
      fs::create_directories(to_, error);
      if (error) throw system_error(to_.string(), "make the folder", error.value());
    } else if (!is_png(to_) && !is_jpeg(to_)) {
      throw Error(ErrorCode::InvalidArgument, to_.string(), "neither .png nor .jpg",
                  "name the drawing with one of these endings, or an existing folder");
    } else {
      NewFile::check(to_);
    }
  }

  void add(const fs::path& picture, const Image& image, const std::vector<Word>& words) {
    if (to_.empty()) return;
    const fs::path path = is_folder_ ? name_for(picture) : to_;
    const Image drawn = with_words_drawn(image, words);
    NewFile file(path);
    file.write(is_png(path) ? encode_png(drawn) : encode_jpeg(drawn, kQuality));
    file.publish();
  }

 private:
  static constexpr int kQuality = 90;

  static std::string ending_of(const fs::path& path) {
    std::string ending = path.extension().string();
    for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return ending;
  }
  static bool is_png(const fs::path& path) { return ending_of(path) == ".png"; }
  static bool is_jpeg(const fs::path& path) {
    return ending_of(path) == ".jpg" || ending_of(path) == ".jpeg";
  }

  // The picture's own name; pictures of one name in several folders are numbered.
  fs::path name_for(const fs::path& picture) {
    const std::string ending = is_png(picture) ? ".png" : ".jpg";
    const std::string stem = picture.stem().string();
    std::string name = stem + ending;
    for (int i = 2; !names_.insert(name).second; ++i)
      name = fmt::format("{}-{}{}", stem, i, ending);
    return to_ / name;
  }

  fs::path to_;
  bool is_folder_;
  std::set<std::string> names_;
};

int run_ocr(const OcrOptions& options) {
  TextReader reader(options.reader);
  Drawings drawings(options);
  OutputStream out(stdout, "standard output");
  const DecodeLimits limits;
  bool any_failed = false;
  const auto fail = [&](const fs::path& path, const std::string& cause, const std::string& cure) {
    warn(kProgram, Error(ErrorCode::Io, path.string(), cause, cure).what());
    any_failed = true;
  };
  for (const fs::path& path : options.images) {
    std::string bytes;
    try {
      bytes = read_input(path, limits.max_bytes);
    } catch (const Error& error) {
      fail(path, error.cause(), error.cure());
      continue;
    }
    const auto decoded = decode_image(std::as_bytes(std::span(bytes)), limits);
    if (const Skip* skip = std::get_if<Skip>(&decoded)) {
      fail(path, skip->detail, "");
      continue;
    }
    const Image& image = std::get<Image>(decoded);
    PictureText text;
    try {
      text = reader.read_picture(image);
    } catch (const Error& error) {
      fail(path, error.cause(), error.cure());
      continue;
    }
    drawings.add(path, image, text.words);
    out.write(json_line(
        message::Ocr{path.native(), text.words, text.turned_degrees, text.unread_script}));
    out.flush();
  }
  return any_failed ? kSomeSkipped : kDone;
}

}  // namespace

void add_ocr(Program& program) {
  const auto shared = std::make_shared<OcrOptions>();
  OcrOptions& options = *shared;
  CLI::App* command =
      program.add_command("ocr", "Print the words read in pictures, one JSON line each",
                          [shared] { return run_ocr(*shared); });
  command->add_option("PICTURE", options.images, "Picture files")->required();
  command
      ->add_option("--ocr-lang", options.reader.languages,
                   "Tesseract languages, e.g. eng+deu, or auto")
      ->capture_default_str();
  add_ocr_timeout(command, options.reader.timeout_ms);
  command
      ->add_option(
          "--draw", options.draw,
          "Also draw the pictures with boxes and words: a new .png or .jpg file, or a folder")
      ->type_name("OUT");
}

}  // namespace zeroshelf
