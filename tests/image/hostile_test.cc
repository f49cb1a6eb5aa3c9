// Tests lib/image/decode.h: what broken, huge and foreign files give.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <random>

#include "lib/image/decode.h"
#include "lib/util/bytes.h"
#include "tests/image/corpus.h"
#include "tests/support/draw.h"

namespace zeroshelf {
namespace {

using namespace testing;
using namespace std::string_literals;

constexpr uint32_t kSeed = 20240611;
constexpr int kMutationsEach = 300;

// Counts what is written to the error stream while it lives.
class ErrorStream {
 public:
  ErrorStream() : file_(make_file()), kept_(::dup(STDERR_FILENO)) { ::dup2(file_, STDERR_FILENO); }
  ~ErrorStream() {
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
    ::close(file_);
  }
  ErrorStream(const ErrorStream&) = delete;
  ErrorStream& operator=(const ErrorStream&) = delete;

  int64_t bytes() const { return ::lseek(file_, 0, SEEK_END); }

 private:
  static int make_file() {
    char name[] = "/tmp/zeroshelf-stderr-XXXXXX";
    const int file = ::mkstemp(name);
    ::unlink(name);
    return file;
  }

  int file_;
  int kept_;
};

SkipReason reason_of(const std::string& bytes, const DecodeLimits& limits = {}) {
  const auto skip = skip_of(bytes, limits);
  BOOST_REQUIRE(skip.has_value());
  BOOST_TEST(!skip->detail.empty());
  return skip->reason;
}

std::string png_claiming(uint32_t width, uint32_t height) {
  std::string file = png(1, 1, {0, 0, 0}, {});
  const auto put = [&](size_t at, uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) file[at + i] = static_cast<char>(value >> 8 * (bytes - 1 - i));
  };
  put(16, width, 4);
  put(20, height, 4);
  uint32_t crc = 0xffffffff;
  for (size_t i = 12; i < 29; ++i) {
    crc ^= static_cast<uint8_t>(file[i]);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  put(29, ~crc, 4);
  return file;
}

std::string with_bytes(std::string file, size_t at, const std::string& bytes) {
  return file.replace(at, bytes.size(), bytes);
}

void mutate(std::string& bytes, std::mt19937& random) {
  const int changes = 1 + static_cast<int>(random() % 8);
  for (int i = 0; i < changes; ++i) {
    // Headers are where the decisions are.
    const size_t end = random() % 2 == 0 ? std::min<size_t>(bytes.size(), 128) : bytes.size();
    bytes[random() % end] = static_cast<char>(random() % 4 == 0 ? 255 : random());
  }
  if (random() % 8 == 0) bytes.resize(random() % bytes.size());
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_sample_of_the_corpus_is_sound) {
  for (const Sample& sample : corpus()) {
    BOOST_TEST_CONTEXT(sample.name) BOOST_CHECK_NO_THROW(decoded(sample.bytes));
  }
}

BOOST_AUTO_TEST_CASE(nothing_and_foreign_files_are_no_pictures) {
  BOOST_TEST((reason_of("") == SkipReason::Empty));
  for (const std::string& file :
       {"x"s, "hello, world"s, "%PDF-1.4"s, "\0\0\0"s, "PK\3\4"s, "RIFF....WAVE"s,
        "\0\0\0\x18"
        "ftypisom"s,
        "P9 1 1"s, "P6"s}) {
    BOOST_TEST((reason_of(file) == SkipReason::NotAPicture));
  }
}

// The length of the end mark of formats that are read without it, too.
size_t end_mark_bytes(const std::string& file) {
  if (file.starts_with("\xff\xd8")) return 2;
  return file.starts_with("GIF") ? 1 : 0;
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_called_by_its_name) {
  const std::pair<std::string, std::string> files[] = {
      {"\xff\x0a....", "JPEG XL"},
      {"\0\0\0\x0cJXL \r\n\x87\n"s, "JPEG XL"},
      {"8BPS\0\1"s, "Photoshop"},
      {"II*\0\x10\0\0\0CR\2\0........................"s, "camera RAW"},
      {"FUJIFILMCCD-RAW 0201", "camera RAW"},
      {"\0\0\0\x18"
       "ftypcrx "s,
       "camera RAW"},
      {"<!DOCTYPE html><html>", "a web page"},
      {"\xef\xbb\xbf\n <HTML lang=en>", "a web page"},
      {"<?xml version='1.0'?><svg xmlns='x'>", "an SVG drawing"},
      {"version https://git-lfs.github.com/spec/v1\noid", "a git-lfs pointer"},
      {"\0\0\0\x18"
       "ftypisom"s,
       "a video"},
      {"%PDF-1.4", "a PDF document"}};
  for (const auto& [file, name] : files) {
    const auto skip = skip_of(file);
    BOOST_REQUIRE(skip.has_value());
    BOOST_TEST(skip->detail.find("not a picture that can be read: " + name + ";") == 0,
               name << ": " << skip->detail);
  }
}

BOOST_AUTO_TEST_CASE(cut_files_are_damaged_at_every_length) {
  const std::vector<Sample>& samples = corpus();  // made first: encoders may print
  const ErrorStream errors;
  for (const Sample& sample : samples) {
    const size_t step = std::max<size_t>(1, sample.bytes.size() / 97);
    const size_t end = sample.bytes.size() - end_mark_bytes(sample.bytes);
    size_t whole_frames = 0;  // of an animation that ends where a frame does
    for (size_t size = 16; size < end; size += step) {
      BOOST_TEST_CONTEXT(sample.name << " cut to " << size << " of " << sample.bytes.size()) {
        const auto skip = skip_of(sample.bytes.substr(0, size));
        if (!skip) {
          BOOST_REQUIRE(sample.bytes.starts_with("GIF"));
          BOOST_REQUIRE(++whole_frames <= 2u);
          continue;
        }
        BOOST_TEST((skip->reason == SkipReason::Damaged));
      }
    }
  }
  BOOST_TEST(errors.bytes() == 0);
}

BOOST_AUTO_TEST_CASE(the_first_bytes_alone_are_skipped) {
  const std::vector<Sample>& samples = corpus();  // made first: encoders may print
  const ErrorStream errors;
  for (const Sample& sample : samples) {
    for (size_t size = 0; size < 64; ++size) {
      BOOST_TEST_CONTEXT(sample.name << " cut to " << size)
      BOOST_TEST(skip_of(sample.bytes.substr(0, size)).has_value());
    }
  }
  BOOST_TEST(errors.bytes() == 0);
}

BOOST_AUTO_TEST_CASE(bmp_palettes_without_bound_are_damaged) {
  std::string file = bmp(plain_image(8, 8, {}));
  file = with_bytes(file, 28, "\x08\x00"s);
  BOOST_TEST((reason_of(with_bytes(file, 46, "\xff\xff\xff\x7f")) == SkipReason::Damaged));
}

BOOST_AUTO_TEST_CASE(the_last_byte_counts_but_not_the_mark_of_the_end) {
  for (const Sample& sample : corpus()) {
    const size_t mark = end_mark_bytes(sample.bytes);
    BOOST_TEST_CONTEXT(sample.name) {
      for (size_t missing = 1; missing <= mark; ++missing) {
        const std::string cut = sample.bytes.substr(0, sample.bytes.size() - missing);
        BOOST_TEST(greatest_difference(decoded(cut), decoded(sample.bytes)) == 0);
      }
      BOOST_TEST(skip_of(sample.bytes.substr(0, sample.bytes.size() - mark - 1)).has_value());
    }
  }
}

// A progressive picture whose last scans are missing has every pixel, but not every bit of it.
BOOST_AUTO_TEST_CASE(a_jpeg_that_ends_between_its_scans_is_damaged) {
  const std::string file = jpeg(shapes_image(64, 48, 3), {.progressive = true, .exif = {}});
  size_t scans = 0;
  for (size_t at = file.find("\xff\xda"); at != std::string::npos;
       at = file.find("\xff\xda", at + 2)) {
    if (++scans == 1) continue;
    // The scan begins with the tables that it needs, if any.
    const size_t tables = file.rfind("\xff\xc4", at);
    const size_t previous = file.rfind("\xff\xda", at - 1);
    const size_t cut = tables != std::string::npos && tables > previous ? tables : at;
    BOOST_TEST((reason_of(file.substr(0, cut)) == SkipReason::Damaged));
  }
  BOOST_TEST(scans > 3u);
}

BOOST_AUTO_TEST_CASE(mutated_files_do_no_harm) {
  BOOST_TEST_MESSAGE("seed " << kSeed);
  const std::vector<Sample>& samples = corpus();  // made first: encoders may print
  const ErrorStream errors;
  std::mt19937 random(kSeed);
  for (const Sample& sample : samples) {
    for (int i = 0; i < kMutationsEach; ++i) {
      std::string bytes = sample.bytes;
      mutate(bytes, random);
      const auto result = decode_image(as_bytes(bytes), {.max_pixels = 1'000'000});
      if (const auto* image = std::get_if<Image>(&result)) {
        BOOST_TEST_CONTEXT(sample.name << " mutation " << i)
        BOOST_REQUIRE(image->rgb.size() == size_t{3} * image->width_px * image->height_px);
      }
    }
    BOOST_TEST_CONTEXT(sample.name) BOOST_TEST(errors.bytes() == 0);
  }
}

BOOST_AUTO_TEST_CASE(random_bytes_after_a_magic_do_no_harm) {
  const std::vector<Sample>& samples = corpus();  // made first: encoders may print
  const ErrorStream errors;
  std::mt19937 random(kSeed);
  for (const Sample& sample : samples) {
    for (int i = 0; i < 100; ++i) {
      std::string bytes = sample.bytes.substr(0, 12 + random() % 30);
      for (int k = 0; k < 400; ++k) bytes += static_cast<char>(random());
      decode_image(as_bytes(bytes), {.max_pixels = 1'000'000});
    }
  }
  BOOST_TEST(errors.bytes() == 0);
}

BOOST_AUTO_TEST_CASE(bombs_are_refused_at_once) {
  const Image small = plain_image(4, 4, {});
  const auto start = std::chrono::steady_clock::now();
  const std::string small_jpeg = jpeg(small, {});
  const size_t jpeg_size_at = small_jpeg.find("\xff\xc0") + 5;
  std::string huge_tiff = tiff(small);
  const size_t directory = 8 + 48 + 2;
  huge_tiff = with_bytes(huge_tiff, directory + 8, "\xa0\x86\1\0"s);
  huge_tiff = with_bytes(huge_tiff, directory + 20, "\xa0\x86\1\0"s);
  const std::string bombs[] = {
      png_claiming(100'000, 100'000),
      png_claiming(0x7fffffff, 0x7fffffff),
      with_bytes(small_jpeg, jpeg_size_at, "\xff\xdc\xff\xdc"),
      huge_tiff,
      with_bytes(bmp(small), 18, "\xa0\x86\1\0\xa0\x86\1\0"s),
      with_bytes(gif(4, 4, {std::vector<uint8_t>(16)}), 6, "\xff\xff\xff\xff"),
      "P6 100000 100000 255\n",
      "P5 4000000000 4000000000 255\n",
  };
  for (const std::string& bomb : bombs) {
    BOOST_TEST((reason_of(bomb) == SkipReason::TooManyPixels));
  }
  // Below the limit, but the file cannot hold it.
  BOOST_TEST((reason_of(png_claiming(14'000, 14'000)) == SkipReason::Damaged));
  BOOST_TEST(
      (reason_of(with_bytes(small_jpeg, jpeg_size_at, "\x36\xb0\x36\xb0")) == SkipReason::Damaged));
  BOOST_TEST((reason_of("P6 14000 14000 255\n") == SkipReason::Damaged));
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(1)));
}

uint64_t peak_memory_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) / 1024;
}

// A PNG with many chunks of packed text, 50 MB each.
std::string png_with_packed_texts(int count) {
  const std::string text(50'000'000, ' ');
  uLongf size = ::compressBound(text.size());
  std::string packed(size, '\0');
  ::compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
              reinterpret_cast<const Bytef*>(text.data()), text.size(), 9);
  const std::string chunk = "zTXtnote\0\0"s + packed.substr(0, size);
  const auto big_endian = [](uint64_t value) { return big_endian_key(value).substr(4); };
  const std::string framed =
      big_endian(chunk.size() - 4) + chunk +
      big_endian(::crc32(0, reinterpret_cast<const Bytef*>(chunk.data()), chunk.size()));
  std::string file = png(1, 1, {0, 0, 0}, {});
  const size_t behind_header = 8 + 25;
  for (int i = 0; i < count; ++i) file.insert(behind_header, framed);
  return file;
}

BOOST_AUTO_TEST_CASE(packed_texts_in_a_png_cost_no_memory) {
  const std::string file = png_with_packed_texts(20);
  const uint64_t before = peak_memory_mib();
  BOOST_TEST(!skip_of(file).has_value());
  BOOST_TEST(peak_memory_mib() < before + 100);
}

BOOST_AUTO_TEST_CASE(a_tiff_whose_rows_outgrow_its_pixels_is_damaged) {
  const size_t directory = 8 + 48 + 2;
  const auto entry = [&](size_t index) { return directory + 12 * index; };
  std::string file = tiff(plain_image(4, 4, {}));
  file = with_bytes(file, entry(0) + 8, "\x80\x84\x1e\0"s);      // 2,000,000 pixels wide
  file = with_bytes(file, entry(1) + 8, "\1\0\0\0"s);            // and one high
  file = with_bytes(file, entry(2) + 4, "\1\0\0\0\x20\0\0\0"s);  // of 32 bits
  file = with_bytes(file, entry(3) + 8, "\5\0\0\0"s);            // packed by LZW
  file = with_bytes(file, entry(7) + 8, "\x10\0\0\0"s);          // and 16 samples
  const uint64_t before = peak_memory_mib();
  const auto skip = skip_of(file);
  BOOST_REQUIRE(skip.has_value());
  BOOST_TEST(skip->detail.find("larger than the picture") != std::string::npos);
  BOOST_TEST(peak_memory_mib() < before + 50);
}

BOOST_AUTO_TEST_CASE(an_unpacked_tiff_that_claims_more_than_the_file_is_damaged) {
  const size_t directory = 8 + 48 + 2;
  std::string file = tiff(plain_image(4, 4, {}));
  file = with_bytes(file, directory + 8, "\xb0\x36\0\0"s);
  file = with_bytes(file, directory + 20, "\xb0\x36\0\0"s);
  const uint64_t before = peak_memory_mib();
  BOOST_TEST((reason_of(file) == SkipReason::Damaged));
  BOOST_TEST(peak_memory_mib() < before + 50);
}

BOOST_AUTO_TEST_CASE(a_heif_that_says_less_than_it_codes_keeps_the_limit) {
  for (const HeifCodec codec : {HeifCodec::Hevc, HeifCodec::Av1}) {
    std::optional<std::string> file = heif(shapes_image(64, 48, 3), codec);
    if (!file) continue;
    const size_t size_at = file->find("ispe") + 8;
    *file = with_bytes(*file, size_at, "\0\0\0\x08\0\0\0\x08"s);
    const auto result = decode_image(as_bytes(*file), {.max_pixels = 100});
    if (const auto* image = std::get_if<Image>(&result)) {
      BOOST_TEST(image->width_px * image->height_px <= 100);
    }
  }
}

// The size in the coded stream counts, not only the container's.
BOOST_AUTO_TEST_CASE(a_heif_that_codes_more_than_it_says_is_refused_before_decoding) {
  for (const HeifCodec codec : {HeifCodec::Hevc, HeifCodec::Av1}) {
    std::optional<std::string> file = heif(plain_image(4096, 4096, {9, 9, 9}), codec);
    if (!file) continue;
    const size_t size_at = file->find("ispe") + 8;
    *file = with_bytes(*file, size_at, "\0\0\0\x08\0\0\0\x08"s);
    const uint64_t before = peak_memory_mib();
    const auto skip = skip_of(*file, {.max_pixels = 1'000'000});
    BOOST_REQUIRE(skip.has_value());
    BOOST_TEST((skip->reason == SkipReason::TooManyPixels));
    BOOST_TEST(skip->detail.find("4,096 x 4,096") != std::string::npos, skip->detail);
    BOOST_TEST(peak_memory_mib() < before + 5);
    BOOST_TEST((reason_of(heif_grid(*file, codec, 2, 2, 16, 16), {.max_pixels = 1'000'000}) ==
                SkipReason::TooManyPixels));
  }
}

BOOST_AUTO_TEST_CASE(what_stands_beside_the_primary_picture_of_a_heif_does_not_count) {
  for (const HeifCodec codec : {HeifCodec::Hevc, HeifCodec::Av1}) {
    const auto tile = heif(shapes_image(64, 64, 5), codec);
    if (!tile) continue;
    const std::string plain = heif_grid(*tile, codec, 2, 2, 128, 128);
    const std::string mapped = heif_grid(*tile, codec, 2, 2, 128, 128, HeifExtras::GainMap);
    BOOST_TEST(greatest_difference(decoded(mapped), decoded(plain)) == 0);
    const ErrorStream errors;
    for (size_t size = 0; size < mapped.size(); size += 7)
      BOOST_TEST(skip_of(mapped.substr(0, size)).has_value());
    BOOST_TEST(errors.bytes() == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_heif_picture_that_is_made_of_itself_is_refused) {
  for (const HeifCodec codec : {HeifCodec::Hevc, HeifCodec::Av1}) {
    const auto tile = heif(plain_image(64, 64, {9, 9, 9}), codec);
    if (!tile) continue;
    const std::string grid = heif_grid(*tile, codec, 2, 2, 128, 128);
    BOOST_TEST(!skip_of(grid, {}).has_value());
    // Behind the type: the number of the picture, how many parts, and the numbers of these.
    const size_t parts = grid.find("dimg") + 8;
    const auto skip = skip_of(with_bytes(grid, parts, "\0\1\0\1"s), {});
    BOOST_REQUIRE(skip.has_value());
    BOOST_TEST((skip->reason == SkipReason::NotAPicture));
    BOOST_TEST(skip->detail.find("made of pictures") != std::string::npos, skip->detail);
  }
}

// "iref" in the bytes of another box, behind a number that is too small to be the size of a box.
BOOST_AUTO_TEST_CASE(a_heif_that_spells_references_where_none_are_does_no_harm) {
  for (const HeifCodec codec : {HeifCodec::Hevc, HeifCodec::Av1}) {
    const auto tile = heif(plain_image(64, 64, {9, 9, 9}), codec);
    if (!tile) continue;
    const std::string grid = heif_grid(*tile, codec, 2, 2, 128, 128);
    // Behind the type of the second item, which is a tile: version, flags, and its number, 2.
    const size_t number = grid.find("infe", grid.find("infe") + 4) + 8;
    BOOST_TEST(skip_of(with_bytes(grid, number + 2, "iref"), {}).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_heif_grid_costs_what_its_limit_allows) {
  for (const HeifCodec codec : {HeifCodec::Hevc, HeifCodec::Av1}) {
    const auto tile = heif(plain_image(512, 512, {9, 9, 9}), codec);
    if (!tile) continue;
    // The grid's own size is larger than the container says of the item.
    std::string grid = heif_grid(*tile, codec, 4, 4, 2048, 2048);
    BOOST_TEST(!skip_of(grid, {.max_pixels = 2048 * 2048}).has_value());
    const size_t whole = grid.rfind("ispe") + 8;
    const std::string lying = with_bytes(grid, whole, "\0\0\0\x08\0\0\0\x08"s);
    BOOST_TEST(skip_of(lying, {.max_pixels = 300'000}).has_value());
    // 256 tiles of which the picture shows next to nothing.
    const auto start = std::chrono::steady_clock::now();
    BOOST_TEST(
        skip_of(heif_grid(*tile, codec, 16, 16, 500, 500), {.max_pixels = 300'000}).has_value());
    BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(1)));
  }
}

BOOST_AUTO_TEST_CASE(limits_are_told_with_their_values) {
  const std::string file = png(61, 43, shapes_image(61, 43, 1).rgb, {});
  const auto pixels = skip_of(file, {.max_pixels = 2'000});
  BOOST_TEST(pixels->detail == "61 x 43 pixels, at most 2,000 are decoded; raise --max-pixels");
  BOOST_TEST(!skip_of(file, {.max_pixels = 61 * 43}).has_value());
  BOOST_TEST((reason_of(file, {.max_bytes = 10}) == SkipReason::TooManyBytes));
}

}  // namespace zeroshelf
