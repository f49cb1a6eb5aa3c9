// Every format through the one interface.

#include "lib/export/export_sinks.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "lib/labelling/classify.h"
#include "lib/util/file.h"
#include "tests/programs/drawn_collection.h"

namespace zeroshelf {
namespace {

struct Exporting : testing::DrawnCollection {
  Exporting()
      : DrawnCollection(30),
        collection(open()),
        predictions(
            classify(collection, labelling_of(vectors, default_fusion(collection, "max"), labels))),
        context(collection, labels, predictions) {
    context.on_failure = [this](const Error&) { ++failures; };
    context.model = "drawn";
    context.fusion = "max";
  }

  // An export of the pictures with an even row.
  std::unique_ptr<ExportSink> exported(ExportFormat format, const std::string& name) {
    auto sink = make_sink(format, directory / name, context);
    sink->add_rows([](Row row) { return row % 2 == 0; });
    sink->finish();
    return sink;
  }
  std::string content(const std::string& name) const {
    return read_file(directory / name, 1 << 24);
  }

  View collection;
  std::vector<Prediction> predictions;
  ExportContext context;
  int failures = 0;
};

BOOST_FIXTURE_TEST_SUITE(export_sinks, Exporting)

BOOST_AUTO_TEST_CASE(a_target_that_exists_is_refused_by_every_format) {
  testing::write_file(directory / "taken", "kept");
  for (const ExportFormatTraits& traits : export_formats()) {
    BOOST_TEST_CONTEXT(traits.name) {
      BOOST_CHECK_THROW(check_target(traits.format, directory / "taken"), Error);
      BOOST_CHECK_THROW(make_sink(traits.format, directory / "taken", context), Error);
      BOOST_CHECK_NO_THROW(check_target(traits.format, directory / "free"));
    }
  }
  BOOST_TEST(content("taken") == "kept");
}

BOOST_AUTO_TEST_CASE(json_lines_say_what_the_picture_is_too) {
  const auto sink = exported(ExportFormat::Jsonl, "lines");
  BOOST_TEST(sink->exported() == 15u);
  std::istringstream text(content("lines"));
  std::vector<std::string> paths;
  for (std::string line; std::getline(text, line);) {
    const auto json = nlohmann::json::parse(line);
    paths.push_back(json["path"]);
    const auto row = static_cast<Row>(std::stoul(paths.back().substr(1)));
    BOOST_REQUIRE(row % 2 == 0);
    BOOST_TEST(json["label"] == labels[predictions[row].answer().label].name);
    BOOST_TEST(json["ocr_text"] == "word");
    BOOST_TEST(json["sha256"].get<std::string>().size() == 64u);
    BOOST_TEST(json["width"] == 0);
  }
  BOOST_TEST(paths.size() == 15u);
  BOOST_TEST(std::ranges::is_sorted(paths));
}

BOOST_AUTO_TEST_CASE(csv_has_a_line_of_names_and_one_a_picture) {
  BOOST_TEST(exported(ExportFormat::Csv, "table.csv")->exported() == 15u);
  const std::string csv = content("table.csv");
  BOOST_TEST(csv.starts_with("path,label,score,"));
  BOOST_TEST(csv.substr(0, csv.find('\r')).ends_with(",labels,path_base64,width,height,sha256"));
  BOOST_TEST(std::ranges::count(csv, '\n') == 16);
}

BOOST_AUTO_TEST_CASE(a_page_is_a_sink_like_the_others) {
  context.max_per_label = 2;
  const auto sink = exported(ExportFormat::Html, "page.html");
  const std::string page = content("page.html");
  BOOST_TEST(page.starts_with("<!doctype html>"));
  BOOST_TEST(sink->exported() <= 6u);
  BOOST_TEST(sink->exported() > 0u);
  BOOST_TEST(sink->told("").find("of 15 pictures shown on ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(pictures_that_are_gone_are_told_and_counted) {
  const auto sink = exported(ExportFormat::Folders, "folder");
  BOOST_TEST(sink->exported() == 0u);
  BOOST_TEST(sink->failed() == 15u);
  BOOST_TEST(failures == 15);
  BOOST_TEST(sink->told("unsure ").starts_with("0 unsure pictures exported to "));
  BOOST_TEST(sink->told("").ends_with(" (symlink), 15 could not be"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
