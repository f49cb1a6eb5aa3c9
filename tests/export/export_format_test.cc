#include "lib/export/export_format.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string_view>

namespace zeroshelf {

BOOST_AUTO_TEST_CASE(each_format_has_its_own_name_and_place_in_the_table) {
  std::set<std::string_view> names;
  for (const ExportFormatTraits& traits : export_formats()) {
    BOOST_TEST(&traits_of(traits.format) == &traits);
    BOOST_TEST(names.insert(traits.name).second);
    // Pictures are placed in folders, and only what places them can split them.
    if (traits.places_pictures) BOOST_TEST(traits.makes_folder);
    if (traits.splits) BOOST_TEST(traits.places_pictures);
  }
  BOOST_TEST(names.size() == 9u);
  BOOST_TEST(traits_of(ExportFormat::Html).cuts_labels);
}

}  // namespace zeroshelf
