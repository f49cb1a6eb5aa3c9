#include "lib/export/datasets.h"

#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

const std::vector<std::string> kLabels = {"cat", "<script>&\"dog\"", "bird"};

AnnotatedPicture picture(const std::string& path, std::optional<uint32_t> label) {
  return {path, 640, 480, label, 0.75f, "text \"read\" \x1b[31m"};
}

nlohmann::json json_of(const fs::path& path) {
  return nlohmann::json::parse(read_file(path, 1 << 20));
}

BOOST_AUTO_TEST_SUITE(datasets)

BOOST_AUTO_TEST_CASE(label_studio_gets_tasks_with_predictions_and_an_interface_that_fits) {
  const TemporaryDirectory directory;
  LabelStudioTasks tasks(directory / "out", kLabels, "zeroshelf mini", "/data");
  tasks.add(picture("/data/a b/ü#%.jpg", 1));
  tasks.add(picture("/data/none.jpg", std::nullopt));
  BOOST_CHECK_THROW(tasks.add(picture("/database/x.jpg", 0)), Error);
  tasks.finish();

  const auto json = json_of(directory / "out" / "tasks.json");
  BOOST_REQUIRE(json.size() == 2u);
  BOOST_TEST(json[0]["data"]["image"] == "/data/local-files/?d=a%20b/%C3%BC%23%25.jpg");
  BOOST_TEST(json[0]["data"]["path"] == "/data/a b/ü#%.jpg");
  BOOST_TEST(json[0]["data"]["text"] == "text \"read\" \x1b[31m");
  const auto& prediction = json[0]["predictions"][0];
  BOOST_TEST(prediction["score"] == 0.75);
  BOOST_TEST(prediction["model_version"] == "zeroshelf mini");
  const auto& result = prediction["result"][0];
  BOOST_TEST(result["type"] == "choices");
  BOOST_TEST(result["value"]["choices"][0] == kLabels[1]);
  BOOST_TEST(json[1]["predictions"].empty());

  pugi::xml_document config;
  BOOST_REQUIRE(config.load_file((directory / "out" / "config.xml").c_str()));
  const pugi::xml_node choices = config.child("View").child("Choices");
  BOOST_TEST(choices.attribute("name").value() == result["from_name"].get<std::string>());
  BOOST_TEST(choices.attribute("toName").value() == result["to_name"].get<std::string>());
  std::vector<std::string> values;
  for (const auto& choice : choices.children("Choice"))
    values.emplace_back(choice.attribute("value").value());
  BOOST_TEST(values == kLabels, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(coco_has_images_annotations_and_categories_that_refer_to_each_other) {
  const TemporaryDirectory directory;
  CocoFile file(directory / "coco.json", kLabels, "test", "");
  file.add(picture("/a.jpg", 2));
  file.add(picture("/b\xff.jpg", std::nullopt));
  file.add(picture("/c.jpg", 0));
  file.finish();

  const auto json = json_of(directory / "coco.json");
  BOOST_REQUIRE(json["images"].size() == 3u);
  BOOST_REQUIRE(json["annotations"].size() == 2u);
  BOOST_TEST(json["categories"][1]["name"] == kLabels[1]);
  const auto& annotation = json["annotations"][1];
  BOOST_TEST(annotation["image_id"] == json["images"][2]["id"]);
  BOOST_TEST(annotation["category_id"] == json["categories"][0]["id"]);
  BOOST_TEST(annotation["bbox"] == nlohmann::json({0, 0, 640, 480}));
  BOOST_TEST(annotation["area"] == 640 * 480);
  BOOST_TEST(annotation["score"] == 0.75);
  BOOST_TEST(json["images"][0]["file_name"] == "/a.jpg");
  BOOST_TEST(json["images"][1].contains("path_base64"));
}

BOOST_AUTO_TEST_CASE(coco_paths_follow_the_root) {
  const TemporaryDirectory directory;
  CocoFile file(directory / "coco.json", kLabels, "test", "/photos/");
  file.add(picture("/photos/x/a.jpg", 2));
  BOOST_CHECK_THROW(file.add(picture("/elsewhere/a.jpg", 2)), Error);
  file.finish();
  BOOST_TEST(json_of(directory / "coco.json")["images"].size() == 1u);
  BOOST_TEST(json_of(directory / "coco.json")["images"][0]["file_name"] == "x/a.jpg");
}

BOOST_AUTO_TEST_CASE(fiftyone_labels_name_classes_by_number_and_pictures_by_stem) {
  const TemporaryDirectory directory;
  FiftyOneLabels labels(directory / "labels.json", directory / "labels.json", kLabels);
  labels.add("data/a.b.jpg", 2, 0.5f);
  labels.add("data/c.png", std::nullopt, 0);
  labels.finish();
  const auto json = json_of(directory / "labels.json");
  BOOST_TEST(json["classes"][1] == kLabels[1]);
  BOOST_TEST(json["labels"]["a.b"]["label"] == 2);
  BOOST_TEST(json["labels"]["a.b"]["confidence"] == 0.5);
  BOOST_TEST(json["labels"]["c"].is_null());
}

BOOST_AUTO_TEST_CASE(without_pictures_the_files_are_sound) {
  const TemporaryDirectory directory;
  LabelStudioTasks(directory / "tasks", kLabels, "m", "").finish();
  CocoFile(directory / "coco.json", kLabels, "m", "").finish();
  FiftyOneLabels(directory / "labels.json", directory / "labels.json", kLabels).finish();
  BOOST_TEST(json_of(directory / "tasks" / "tasks.json").empty());
  BOOST_TEST(json_of(directory / "coco.json")["annotations"].empty());
  BOOST_TEST(json_of(directory / "labels.json")["labels"].empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
