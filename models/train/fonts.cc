// The only FreeType user. Tested by tests/train/generator_test.cc.

#include "models/train/fonts.h"

#include <ft2build.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "lib/util/error.h"
#include FT_FREETYPE_H
#include FT_GLYPH_H
#include FT_STROKER_H

namespace zeroshelf::train {
namespace {

// A library and one face of it.
struct OpenFace {
  FT_Library library = nullptr;
  FT_Face face = nullptr;

  OpenFace(const std::filesystem::path& path, const char* package) {
    if (FT_Init_FreeType(&library) != 0) {
      throw Error(ErrorCode::Unavailable, "FreeType", "cannot be started");
    }
    if (FT_New_Face(library, path.c_str(), 0, &face) != 0) {
      FT_Done_FreeType(library);
      throw Error(ErrorCode::NotFound, path.string(), "no such font, or it cannot be read",
                  std::string("install the Debian package ") + package);
    }
  }
  ~OpenFace() {
    FT_Done_Face(face);
    FT_Done_FreeType(library);
  }
  OpenFace(const OpenFace&) = delete;
  OpenFace& operator=(const OpenFace&) = delete;
};

Sprite cut_to_content(const Sprite& sprite) {
  int left = sprite.width_px, right = -1, top = sprite.height_px, bottom = -1;
  for (int y = 0; y < sprite.height_px; ++y) {
    for (int x = 0; x < sprite.width_px; ++x) {
      if (sprite.rgba[static_cast<size_t>(y * sprite.width_px + x) * 4 + 3] < 8) continue;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = std::max(bottom, y);
    }
  }
  if (right < 0) return {};
  Sprite cut{right - left + 1, bottom - top + 1, {}};
  for (int y = top; y <= bottom; ++y) {
    const auto row = sprite.rgba.begin() + (static_cast<ptrdiff_t>(y) * sprite.width_px + left) * 4;
    cut.rgba.insert(cut.rgba.end(), row, row + cut.width_px * 4);
  }
  return cut;
}

Letter::Coverage coverage_of(FT_Glyph glyph) {
  Letter::Coverage coverage;
  if (FT_Glyph_To_Bitmap(&glyph, FT_RENDER_MODE_NORMAL, nullptr, /*destroy=*/1) != 0) {
    FT_Done_Glyph(glyph);
    return coverage;
  }
  const auto* rendered = reinterpret_cast<FT_BitmapGlyph>(glyph);
  const FT_Bitmap& bitmap = rendered->bitmap;
  coverage.left_px = rendered->left;
  coverage.top_px = rendered->top;
  coverage.width_px = static_cast<int>(bitmap.width);
  coverage.height_px = static_cast<int>(bitmap.rows);
  for (int y = 0; y < coverage.height_px; ++y) {
    const uint8_t* row = bitmap.buffer + static_cast<ptrdiff_t>(y) * bitmap.pitch;
    coverage.alpha.insert(coverage.alpha.end(), row, row + coverage.width_px);
  }
  FT_Done_Glyph(glyph);
  return coverage;
}

}  // namespace

struct EmojiFont::Face : OpenFace {
  using OpenFace::OpenFace;
};

EmojiFont::EmojiFont(const std::filesystem::path& path)
    : face_(std::make_unique<Face>(path, "fonts-noto-color-emoji")) {
  if (!FT_HAS_COLOR(face_->face) || FT_Select_Size(face_->face, 0) != 0) {
    throw Error(ErrorCode::Incompatible, path.string(), "not a font of coloured bitmaps",
                "name Debian's NotoColorEmoji.ttf");
  }
}

EmojiFont::~EmojiFont() = default;

std::optional<Sprite> EmojiFont::draw(char32_t character) const {
  const FT_UInt glyph = FT_Get_Char_Index(face_->face, character);
  if (glyph == 0 || FT_Load_Glyph(face_->face, glyph, FT_LOAD_RENDER | FT_LOAD_COLOR) != 0) {
    return std::nullopt;
  }
  const FT_Bitmap& bitmap = face_->face->glyph->bitmap;
  if (bitmap.pixel_mode != FT_PIXEL_MODE_BGRA) return std::nullopt;
  Sprite sprite{static_cast<int>(bitmap.width), static_cast<int>(bitmap.rows), {}};
  sprite.rgba.reserve(static_cast<size_t>(sprite.width_px) * sprite.height_px * 4);
  for (int y = 0; y < sprite.height_px; ++y) {
    const uint8_t* pixel = bitmap.buffer + static_cast<ptrdiff_t>(y) * bitmap.pitch;
    for (int x = 0; x < sprite.width_px; ++x, pixel += 4) {
      sprite.rgba.insert(sprite.rgba.end(), {pixel[2], pixel[1], pixel[0], pixel[3]});
    }
  }
  sprite = cut_to_content(sprite);
  if (sprite.width_px == 0) return std::nullopt;
  return sprite;
}

struct TextFont::Face : OpenFace {
  Face(const std::filesystem::path& path, double squeeze) : OpenFace(path, "fonts-dejavu-core") {
    FT_Matrix matrix = {static_cast<FT_Fixed>(squeeze * 0x10000), 0, 0, 0x10000};
    FT_Set_Transform(face, &matrix, nullptr);
  }
};

TextFont::TextFont(const std::filesystem::path& path, double squeeze)
    : face_(std::make_unique<Face>(path, squeeze)) {}

TextFont::~TextFont() = default;

const Letter& TextFont::letter(char32_t character, int height_px, int outline_px) const {
  const uint64_t key = static_cast<uint64_t>(character) << 32 |
                       static_cast<uint64_t>(height_px) << 8 | static_cast<uint64_t>(outline_px);
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = letters_.try_emplace(key);
  Letter& letter = found->second;
  if (!is_new) return letter;

  const FT_Face face = face_->face;
  FT_Set_Pixel_Sizes(face, 0, static_cast<FT_UInt>(height_px));
  if (FT_Load_Char(face, character, FT_LOAD_NO_BITMAP | FT_LOAD_NO_HINTING) != 0) return letter;
  letter.advance_px = static_cast<double>(face->glyph->advance.x) / 64;
  FT_Glyph body = nullptr;
  if (FT_Get_Glyph(face->glyph, &body) != 0) return letter;
  FT_Glyph outlined = nullptr;
  if (outline_px > 0 && FT_Glyph_Copy(body, &outlined) == 0) {
    FT_Stroker stroker = nullptr;
    if (FT_Stroker_New(face_->library, &stroker) == 0) {
      FT_Stroker_Set(stroker, outline_px * 64, FT_STROKER_LINECAP_ROUND, FT_STROKER_LINEJOIN_ROUND,
                     0);
      FT_Glyph_StrokeBorder(&outlined, stroker, /*inside=*/0, /*destroy=*/1);
      FT_Stroker_Done(stroker);
    }
    letter.outlined = coverage_of(outlined);
  }
  letter.body = coverage_of(body);
  return letter;
}

}  // namespace zeroshelf::train
