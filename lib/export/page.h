#pragma once

// Pictures by predicted label with their evidence -> one HTML file that needs nothing else: the
// thumbnails, the style and the script are in it, and it asks no server for anything.
//
// Labels, paths and texts are taken as hostile. They become text and nothing else (append_html),
// the page's Content-Security-Policy lets only our own script and style run (by their SHA-256), and
// the script never turns text into markup.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "lib/files/new_file.h"
#include "lib/fusion/fusion.h"
#include "lib/image/thumbnail.h"
#include "lib/util/skip.h"

namespace zeroshelf {

// One label, in the order of the page; a prediction's label is an index into these.
struct PageSection {
  std::string label;
  uint64_t pictures = 0;  // that got the label
  uint64_t shown = 0;     // of those, added to the page
};

struct PageHead {
  std::string title;
  std::string subtitle;
  std::vector<PageSection> sections;
};

struct PagePicture {
  std::string path;
  Prediction prediction;                    // with a winner
  std::string text;                         // that OCR read; empty without
  std::variant<Thumbnail, Skip> thumbnail;  // or why there is none, which the page says
  std::string veto = {};                    // see veto_words(); empty without
};

// Writes picture by picture; memory does not grow with the page.
// Threads: one at a time.
class HtmlPage {
 public:
  // The file must be new: throws what NewFile does. It appears in finish(), complete; without that
  // nothing is left behind.
  HtmlPage(std::filesystem::path path, PageHead head);

  // In the order of the sections, and in each in the order in which they are to be seen. Throws Io.
  void add(const PagePicture& picture);

  // Throws Io, and InvalidArgument when something took the name meanwhile.
  void finish();

 private:
  void write_head();
  void begin_section(size_t index);
  void end_section();
  void begin_sections_before(size_t end);

  PageHead head_;
  NewFile file_;
  size_t begun_ = 0;  // sections
};

}  // namespace zeroshelf
