#pragma once

// The answers of a classification as an HTML page: the best pictures of each label, with thumbnails
// made from the picture files as they are now.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/export/export_format.h"
#include "lib/fusion/fusion.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

struct PageOptions {
  std::filesystem::path file;  // must be new
  uint64_t max_per_label = 200;
  unsigned threads = 0;           // 0: every core
  std::string fusion;             // the rule's name, for the head of the page
  std::function<bool(Row)> keep;  // the rows to show; empty: all
};

// How many pictures of a label are chosen before anything is written, of what was asked: a format
// that cuts labels by itself does so later, unless a promise is made, which is then of what the
// page shows.
std::optional<uint64_t> chosen_of_label(ExportFormat format, std::optional<uint64_t> max_per_label,
                                        bool has_promise);

struct PageReport {
  uint64_t answered = 0;           // pictures with a label, of those to show
  uint64_t shown = 0;              // of those, on the page
  uint64_t without_thumbnail = 0;  // of those, with a box that says why
};

// predictions: one a row, as classify gives them; rows without an answer are left out. In each
// label the best score comes first, equal ones in the order of the rows. A file whose content is no
// longer the one that was indexed is not shown, so a card never has another picture's thumbnail.
// Cost: reads and decodes each picture that is shown; memory goes with the threads.
// Throws what HtmlPage and Collection do; no file is left then.
PageReport export_page(const View& collection, const std::vector<Label>& labels,
                       const std::vector<Prediction>& predictions, const PageOptions& options);

}  // namespace zeroshelf
