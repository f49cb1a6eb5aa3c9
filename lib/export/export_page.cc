// Tested by tests/programs/export_page_test.cc.

#include "lib/export/export_page.h"

#include <fmt/format.h>

#include <functional>
#include <utility>
#include <variant>

#include "lib/collection/path_order.h"
#include "lib/export/best_rows.h"
#include "lib/export/indexed_picture.h"
#include "lib/export/page.h"
#include "lib/image/thumbnail.h"
#include "lib/report/prediction_writer.h"
#include "lib/util/error.h"
#include "lib/util/ordered_workers.h"
#include "lib/util/parallel.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

using Workers = OrderedWorkers<Row, PagePicture>;

// For each label the rows that got it.
std::vector<std::vector<Row>> rows_of_labels(const View& collection, size_t labels,
                                             const std::vector<Prediction>& predictions,
                                             const std::function<bool(Row)>& keep) {
  std::vector<std::vector<Row>> rows(labels);
  for (Row row = 0; row < predictions.size(); ++row) {
    const Prediction& prediction = predictions[row];
    if (collection.is_live(row) && prediction.winner && (!keep || keep(row)))
      rows[prediction.answer().label].push_back(row);
  }
  return rows;
}

std::variant<Thumbnail, Skip> thumbnail_of(const PictureRecord& record) {
  const auto image = indexed_picture(record);
  if (const Skip* skip = std::get_if<Skip>(&image)) return *skip;
  return make_thumbnail(std::get<Image>(image));
}

class PageExport {
 public:
  PageExport(const View& collection, const std::vector<Label>& labels,
             const std::vector<Prediction>& predictions, const PageOptions& options)
      : collection_(collection), labels_(labels), predictions_(predictions), options_(options) {}

  PageReport run() {
    auto rows = rows_of_labels(collection_, labels_.size(), predictions_, options_.keep);
    PageHead head = cut_to_best(rows);
    HtmlPage page(options_.file, std::move(head));
    Workers workers(make_workers(), 4 * size_t{threads()});
    for (const std::vector<Row>& of_label : rows) {
      for (const Row row : of_label) {
        if (workers.full()) take_next(workers, page);
        workers.push(row);
      }
    }
    while (!workers.empty()) take_next(workers, page);
    page.finish();
    return report_;
  }

 private:
  // Leaves the rows that are shown, and says how many those are of how many.
  PageHead cut_to_best(std::vector<std::vector<Row>>& rows) {
    PageHead head{collection_.name(), "", {}};
    const PathOrder by_path(collection_);
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint64_t pictures = rows[i].size();
      rows[i].resize(
          move_best_to_front(rows[i], options_.max_per_label, predictions_, std::cref(by_path)));
      head.sections.push_back({labels_[i].name, pictures, rows[i].size()});
      report_.answered += pictures;
    }
    head.subtitle = subtitle();
    return head;
  }

  std::string subtitle() const {
    const uint64_t pictures = collection_.counts().pictures;
    uint64_t unanswered = 0;
    for (Row row = 0; row < predictions_.size(); ++row)
      unanswered += collection_.is_live(row) && !predictions_[row].winner ? 1 : 0;
    const uint64_t left_out = pictures - unanswered - report_.answered;
    const auto told = [](const char* what, uint64_t count) {
      return count > 0 ? fmt::format(" {}: {}.", what, with_thousands(count)) : "";
    };
    return fmt::format("Pictures: {}. Labels: {}. Model: {}. Fusion: {}.{}{}",
                       with_thousands(pictures), with_thousands(labels_.size()),
                       collection_.manifest().model_name, options_.fusion,
                       told("No answer", unanswered), told("Not on this page", left_out));
  }

  unsigned threads() const { return options_.threads == 0 ? available_cores() : options_.threads; }

  std::vector<Workers::Work> make_workers() const {
    return {threads(), [this](Row row) { return make_picture(row); }};
  }

  PagePicture make_picture(Row row) const {
    const PictureRecord record = collection_.record(row);
    return {record.file.path, predictions_[row], joined_text(collection_.words(row)),
            thumbnail_of(record), veto_words(labels_, predictions_[row])};
  }

  void take_next(Workers& workers, HtmlPage& page) {
    const PagePicture picture = workers.pop();
    page.add(picture);
    ++report_.shown;
    if (std::holds_alternative<Skip>(picture.thumbnail)) ++report_.without_thumbnail;
  }

  const View& collection_;
  const std::vector<Label>& labels_;
  const std::vector<Prediction>& predictions_;
  const PageOptions& options_;
  PageReport report_;
};

}  // namespace

std::optional<uint64_t> chosen_of_label(ExportFormat format, std::optional<uint64_t> max_per_label,
                                        bool has_promise) {
  if (!traits_of(format).cuts_labels) return max_per_label;
  if (!has_promise) return std::nullopt;
  return max_per_label.value_or(PageOptions().max_per_label);
}

PageReport export_page(const View& collection, const std::vector<Label>& labels,
                       const std::vector<Prediction>& predictions, const PageOptions& options) {
  return PageExport(collection, labels, predictions, options).run();
}

}  // namespace zeroshelf
