#include "lib/labelling/keyword_truth.h"

#include <boost/test/unit_test.hpp>

#include "lib/xmp/packet_keywords.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct Tagged : testing::Shelf {
  // A picture with these keywords in a sidecar, as people write them.
  void picture(const std::string& name, const std::vector<std::string>& subject,
               const std::vector<std::string>& tags = {}) {
    const fs::path file = directory / name;
    testing::write_file(file, name);
    batch.added.push_back(testing::picture(file.string(), static_cast<uint32_t>(batch.added.size())));
    const auto list = [](const std::string& tag, const std::vector<std::string>& words) {
      if (words.empty()) return std::string();
      std::string text = "<" + tag + "><rdf:Bag>";
      for (const std::string& word : words) text += "<rdf:li>" + word + "</rdf:li>";
      return text + "</rdf:Bag></" + tag + ">";
    };
    if (subject.empty() && tags.empty()) return;
    testing::write_file(
        file.string() + ".xmp",
        R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:digiKam="http://www.digikam.org/ns/1.0/">)" +
            list("dc:subject", subject) + list("digiKam:TagsList", tags) +
            "</rdf:Description></rdf:RDF></x:xmpmeta>");
  }

  KeywordTruth truth(const std::vector<std::string>& names) {
    if (!batch.empty()) write().commit(batch);
    batch = {};
    std::vector<Label> labels;
    for (const std::string& name : names) labels.push_back({name, {name}});
    unreadable.clear();
    return truth_from_keywords(View::open(path), labels,
                               [this](const Error& error) { unreadable.push_back(error.what()); });
  }
  std::string label(const KeywordTruth& known, const std::string& name) const {
    const auto found = known.truth.find((directory / name).string());
    return found == known.truth.end() ? "" : found->second;
  }

  Batch batch;
  std::vector<std::string> unreadable;
};

BOOST_FIXTURE_TEST_SUITE(keyword_truths, Tagged)

BOOST_AUTO_TEST_CASE(keywords_are_labels_by_their_last_parts) {
  picture("flat", {"Golden_Retriever", "holiday"});
  picture("tree", {"petrel", "birds"}, {"animal/birds/petrel"});
  picture("two", {"petrel", "golden retriever"});
  picture("none", {"holiday"});
  picture("bare", {});
  const KeywordTruth known = truth({"golden retriever", "petrel", "birds"});
  BOOST_TEST(label(known, "flat") == "golden retriever");
  BOOST_TEST(label(known, "tree") == "petrel");  // and not what it lies below
  BOOST_TEST(known.truth.size() == 2u);
  BOOST_TEST(known.several == 1u);
  BOOST_TEST(known.without == 2u);
  BOOST_TEST(unreadable.empty());
  BOOST_TEST(label(truth({"birds/petrel", "dog"}), "tree") == "birds/petrel");
  // Without labels every keyword is one.
  const KeywordTruth all = truth({});
  BOOST_TEST(label(all, "tree") == "animal/birds/petrel");
  BOOST_TEST(label(all, "none") == "holiday");
  BOOST_TEST(label(all, "flat") == "");
}

BOOST_AUTO_TEST_CASE(our_own_answers_are_no_truth) {
  picture("a", {});
  picture("b", {"dog"});
  for (const char* name : {"a", "b"}) {
    const fs::path sidecar = (directory / name).string() + ".xmp";
    const std::string before = fs::exists(sidecar) ? read_file(sidecar, 1 << 20) : "";
    testing::write_file(
        sidecar, *with_keywords(before, {{"zeroshelf"}, {{"cat"}}}, PacketForm::Sidecar));
  }
  const KeywordTruth known = truth({"cat", "dog"});
  BOOST_TEST(known.truth.size() == 1u);
  BOOST_TEST(label(known, "b") == "dog");
}

BOOST_AUTO_TEST_CASE(what_is_no_xmp_is_told_and_passed_over) {
  picture("a", {"dog"});
  picture("b", {});
  testing::write_file((directory / "b").string() + ".xmp", "no XMP");
  picture("c", {});
  fs::create_directory((directory / "c").string() + ".xmp");
  const KeywordTruth known = truth({"cat", "dog"});
  BOOST_TEST(known.truth.size() == 1u);
  BOOST_TEST(known.unreadable == 1u);
  BOOST_REQUIRE(unreadable.size() == 1u);
  BOOST_TEST(unreadable[0].find("b.xmp") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
