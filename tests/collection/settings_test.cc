#include <boost/test/unit_test.hpp>

#include <fstream>

#include "lib/collection/settings.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

using testing::Shelf;

BOOST_FIXTURE_TEST_SUITE(settings, Shelf)

BOOST_AUTO_TEST_CASE(what_was_told_is_remembered_and_what_was_not_is_absent) {
  write();
  const Settings settings(path);
  BOOST_TEST(!settings.model_path().has_value());
  BOOST_TEST(!settings.text_languages().has_value());
  BOOST_TEST(settings.roots().empty());
  settings.remember_model_path("/models/new place");
  settings.remember_text_languages("");
  const std::vector<std::string> roots = {"/a", "/with\nline"};
  settings.remember_roots(roots);
  const Settings again(path);
  BOOST_TEST(again.model_path().value() == "/models/new place");
  BOOST_TEST(again.text_languages().value() == "");
  BOOST_TEST(again.roots() == roots);
  again.remember_roots({"/other"});
  BOOST_TEST(again.roots().size() == 1u);
  const std::vector<std::string> all = {"/a", "/other", "/with\nline"};
  BOOST_TEST(again.all_roots() == all);
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_setting_counts_as_never_told) {
  write();
  Settings(path).remember_model_path("/m");
  std::ofstream(path / "attachments" / "settings" / "model_path", std::ios::app) << "x";
  BOOST_TEST(!Settings(path).model_path().has_value());
  BOOST_TEST(verify_collection(path).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
