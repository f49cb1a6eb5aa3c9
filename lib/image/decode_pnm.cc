// The portable any-map formats P1 to P6. OpenCV prints when one is cut short, and they are simple.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.

#include <algorithm>
#include <optional>

#include "lib/image/decoders.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kMaxNumber = 1'000'000'000;

bool is_space(uint8_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(uint8_t c) {
  return c >= '0' && c <= '9';
}

class Reader {
 public:
  explicit Reader(Bytes bytes) : data_(as_uint8(bytes)), left_(bytes.size()) {}

  size_t left() const { return left_; }
  const uint8_t* data() const { return data_; }
  void skip(size_t count) {
    data_ += count;
    left_ -= count;
  }

  // The next decimal number, after white space and comments.
  std::optional<uint32_t> number() {
    skip_space();
    if (left_ == 0 || !is_digit(*data_)) return std::nullopt;
    uint64_t value = 0;
    for (; left_ > 0 && is_digit(*data_); skip(1)) {
      value = std::min<uint64_t>(value * 10 + (*data_ - '0'), kMaxNumber);
    }
    return static_cast<uint32_t>(value);
  }

  // The next digit 0 or 1; they may stand without space between them.
  std::optional<uint32_t> bit() {
    skip_space();
    if (left_ == 0 || (*data_ != '0' && *data_ != '1')) return std::nullopt;
    const uint32_t value = *data_ - '0';
    skip(1);
    return value;
  }

 private:
  void skip_space() {
    while (left_ > 0 && (is_space(*data_) || *data_ == '#')) {
      if (*data_ == '#') {
        while (left_ > 0 && *data_ != '\n') skip(1);
      } else {
        skip(1);
      }
    }
  }

  const uint8_t* data_;
  size_t left_;
};

struct Format {
  bool bitmap;
  bool text;
  uint32_t channels;
};

Format format_of(char digit) {
  const int kind = (digit - '1') % 3;
  return {kind == 0, digit <= '3', kind == 2 ? 3u : 1u};
}

// 65535 keeps the high byte, as every 16-bit format does here.
uint8_t eight_bits(uint32_t sample, uint32_t largest) {
  sample = std::min(sample, largest);
  if (largest == 65535) return static_cast<uint8_t>(sample >> 8);
  return static_cast<uint8_t>((sample * 255 + largest / 2) / largest);
}

// The samples one after another, 8 bits each; false where the file ends too early.
bool read_text(Reader& reader, const Format& format, uint32_t largest, std::vector<uint8_t>& out) {
  for (uint8_t& sample : out) {
    const std::optional<uint32_t> value = format.bitmap ? reader.bit() : reader.number();
    if (!value) return false;
    sample = format.bitmap ? (*value == 1 ? 0 : 255) : eight_bits(*value, largest);
  }
  return true;
}

void read_bits(const uint8_t* data, size_t width, std::vector<uint8_t>& out) {
  const size_t stride = (width + 7) / 8;
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t x = i % width;
    const bool black = data[i / width * stride + x / 8] >> (7 - x % 8) & 1;
    out[i] = black ? 0 : 255;
  }
}

void read_binary(const uint8_t* data, uint32_t largest, std::vector<uint8_t>& out) {
  if (largest > 255) {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = eight_bits(uint32_t{data[2 * i]} << 8 | data[2 * i + 1], largest);
    }
  } else {
    for (size_t i = 0; i < out.size(); ++i) out[i] = eight_bits(data[i], largest);
  }
}

uint64_t least_bytes(const Format& format, uint64_t width, uint64_t height, uint32_t largest) {
  const uint64_t samples = width * height * format.channels;
  if (format.text) return format.bitmap ? samples : 2 * samples - 1;
  return format.bitmap ? (width + 7) / 8 * height : samples * (largest > 255 ? 2 : 1);
}

std::vector<uint8_t> grey_to_rgb(const std::vector<uint8_t>& grey) {
  std::vector<uint8_t> rgb(grey.size() * 3);
  for (size_t i = 0; i < grey.size(); ++i) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];
  return rgb;
}

}  // namespace

Decoded decode_pnm(Bytes file, const DecodeLimits& limits) {
  const Format format = format_of(static_cast<char>(file[1]));
  Reader reader(file.subspan(2));
  const auto width = reader.number();
  const auto height = reader.number();
  const auto largest = format.bitmap ? 1 : reader.number();
  if (!width || !height || !largest) return damaged("no size in it");
  if (auto refused = refusal(*width, *height, limits)) return *refused;
  if (*largest == 0 || *largest > 65535) return damaged("its largest sample is not 1 to 65535");
  if (reader.left() > 0 && !format.text) reader.skip(1);  // one white space
  if (reader.left() < least_bytes(format, *width, *height, *largest)) return cut_short();

  std::vector<uint8_t> samples(uint64_t{*width} * *height * format.channels);
  if (format.text) {
    if (!read_text(reader, format, *largest, samples)) return cut_short();
  } else if (format.bitmap) {
    read_bits(reader.data(), *width, samples);
  } else {
    read_binary(reader.data(), *largest, samples);
  }
  return Image{static_cast<int>(*width), static_cast<int>(*height),
               format.channels == 3 ? std::move(samples) : grey_to_rgb(samples)};
}

}  // namespace zeroshelf
