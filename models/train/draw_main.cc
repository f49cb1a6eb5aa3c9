// zeroshelf-draw: pictures from the generator, as files.

#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "lib/files/new_file.h"
#include "lib/image/encode_jpeg.h"
#include "lib/program/message.h"
#include "lib/program/program.h"
#include "lib/util/file.h"
#include "lib/util/output_stream.h"
#include "models/train/generator.h"
#include "models/train/memes.h"

namespace {

using namespace zeroshelf;
using namespace zeroshelf::train;

struct Options {
  std::filesystem::path to;
  MemeSet memes;
  bool two_sided = false;
  int columns = 10;
  int rows = 6;
  uint64_t seed = 1;
};

int draw_memes(const Options& options) {
  const Generator generator({});
  MemeSet memes = options.memes;
  if (options.two_sided) memes.shares = kTwoSidedShares;
  write_memes(generator, memes, options.to);
  say("{0} memes in {1}, the truth in {1}.csv\n", memes.count, absolute_path(options.to).string());
  return kDone;
}

// Many training pictures on one, their captions on stdout.
int draw_sheet(const Options& options) {
  const Generator generator({});
  const PictureOptions picture_options;
  const int side = picture_options.width_px;
  OutputStream out(stdout, "standard output");
  Image sheet = blank(options.columns * side, options.rows * side, {});
  for (int cell = 0; cell < options.columns * options.rows; ++cell) {
    Random random = Random::of_item(options.seed, static_cast<uint64_t>(cell));
    const CaptionedPicture picture = generator.any(random, picture_options);
    out.write(fmt::format("{},{}: {}\n", cell / options.columns, cell % options.columns,
                          picture.caption));
    for (int y = 0; y < side; ++y) {
      const auto row = picture.image.row(y);
      const int to_y = cell / options.columns * side + y;
      std::copy(
          row.begin(), row.end(),
          sheet.rgb.begin() +
              (static_cast<ptrdiff_t>(to_y) * sheet.width_px + cell % options.columns * side) * 3);
    }
  }
  write_file_atomically(options.to, encode_jpeg(sheet, 92));
  return kDone;
}

int list_things() {
  const Generator generator({});
  OutputStream out(stdout, "standard output");
  for (const Thing& thing : generator.things()) {
    out.write(fmt::format("{}: {}\n", thing.name, fmt::join(thing.synonyms, ", ")));
  }
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  Program program("zeroshelf-draw",
                  "Draws pictures from a seed: training pictures, and sets of memes.");
  Options options;
  CLI::App* memes =
      program.add_command("memes", "A folder of memes of two worlds, and a table of the truth.",
                          [&] { return draw_memes(options); });
  memes->add_option("FOLDER", options.to, "New folder")->required();
  memes->add_option("--count", options.memes.count, "Memes of both worlds together")
      ->capture_default_str();
  memes->add_option("--seed", options.memes.seed, "Which set")->capture_default_str();
  memes->add_flag("--two-sided", options.two_sided,
                  "A fifth can be told by the text only, and none shows the other world");
  CLI::App* sheet =
      program.add_command("sheet", "One JPEG of many training pictures; captions on stdout.",
                          [&] { return draw_sheet(options); });
  sheet->add_option("FILE", options.to, "JPEG file to write")->required();
  sheet->add_option("--columns", options.columns, "Pictures in a row")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  sheet->add_option("--rows", options.rows, "Rows")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  sheet->add_option("--seed", options.seed, "Which pictures")->capture_default_str();
  program.add_command("things", "The names of all that can be drawn, with synonyms.", list_things);
  return program.run(argc, argv);
}
