#pragma once

// Glyphs as pixels, by FreeType: coloured pictures from an emoji font, and letters with an outline.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace zeroshelf::train {

// A drawing with transparency: R, G, B multiplied by alpha, A; row by row.
struct Sprite {
  int width_px = 0;
  int height_px = 0;
  std::vector<uint8_t> rgba;
};

// A font of coloured bitmaps (CBDT), such as Debian's fonts-noto-color-emoji.
// Threads: one call at a time.
class EmojiFont {
 public:
  // Throws NotFound or Incompatible, with the package to install.
  explicit EmojiFont(const std::filesystem::path& path);
  ~EmojiFont();

  // Cut to what is not transparent; absent when the font has no picture of the character.
  std::optional<Sprite> draw(char32_t character) const;

 private:
  struct Face;
  std::unique_ptr<Face> face_;
};

// One letter as coverage, 0 to 255, of its body and of its body with the outline around it.
struct Letter {
  struct Coverage {
    int left_px = 0;  // of the bitmap, from the pen
    int top_px = 0;   // of the bitmap's first row, above the base line
    int width_px = 0;
    int height_px = 0;
    std::vector<uint8_t> alpha;
  };
  Coverage body;
  Coverage outlined;
  double advance_px = 0;
};

// A scalable font; letters are kept once drawn.
// Threads: any number of calls may run together.
class TextFont {
 public:
  // squeeze: horizontal scale; meme captions are set in narrow heavy faces.
  TextFont(const std::filesystem::path& path, double squeeze);
  ~TextFont();

  // height_px: of the em square. The reference lives as long as the font.
  const Letter& letter(char32_t character, int height_px, int outline_px) const;

 private:
  struct Face;
  std::unique_ptr<Face> face_;
  mutable std::mutex mutex_;
  mutable std::map<uint64_t, Letter> letters_;
};

}  // namespace zeroshelf::train
