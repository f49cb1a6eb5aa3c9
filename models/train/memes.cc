// Tested by tests/train/generator_test.cc.

#include "models/train/memes.h"

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <vector>

#include "lib/files/new_file.h"
#include "lib/image/encode_jpeg.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/parallel.h"

namespace zeroshelf::train {
namespace {

namespace fs = std::filesystem;

constexpr int kJpegQuality = 88;

const MemeShare& share_of(std::span<const MemeShare> shares, double point) {
  for (const MemeShare& share : shares) {
    if (point < share.share) return share;
    point -= share.share;
  }
  return shares.front();
}

}  // namespace

void write_memes(const Generator& generator, const MemeSet& set, const fs::path& to) {
  const fs::path folder = absolute_path(to);
  std::array<size_t, 2> worlds = {};
  for (size_t i = 0; i < 2; ++i) {
    const std::optional<size_t> world = generator.find_world(set.labels[i]);
    if (!world) throw Error(ErrorCode::InvalidArgument, set.labels[i], "no world of this name");
    worlds[i] = *world;
  }
  std::error_code ignored;
  if (fs::exists(folder, ignored) && !fs::is_empty(folder, ignored)) {
    throw Error(ErrorCode::InvalidArgument, folder.string(), "is not empty",
                "name a new folder, or remove it first");
  }
  for (const char* label : set.labels) fs::create_directories(folder / label);

  std::vector<std::string> rows(set.count);
  parallel_chunks(set.count, 1, 0, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      Random random = Random::of_item(set.seed, i);
      const size_t side = i % 2;
      const MemeShare& share = share_of(set.shares, random.uniform());
      const Image image = generator.meme(share.kind, worlds[side], worlds[1 - side], random,
                                         {set.width_px, set.height_px, set.wear, 0, Part::HeldOut});
      const fs::path path = fs::path(set.labels[side]) / fmt::format("{:05}.jpg", i);
      write_file_atomically(folder / path, encode_jpeg(image, kJpegQuality));
      rows[i] = fmt::format("{},{},{}\n", (folder.filename() / path).string(), set.labels[side],
                            share.name);
    }
  });
  std::string table = "path,label,kind\n";
  for (const std::string& row : rows) table += row;
  write_file_atomically(folder.string() + ".csv", table);
}

}  // namespace zeroshelf::train
