#include "lib/collection/open_view.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "lib/collection/settings.h"
#include "lib/collection/shard.h"
#include "tests/collection/shelf.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;

// Three collections of five pictures in a folder, with other things beside them.
struct ThreeShelves {
  ThreeShelves() {
    fs::create_directories(folder / "no collection");
    std::ofstream(folder / "notes.txt") << "theirs";
    for (uint32_t i = 0; i < 3; ++i) {
      CollectionWriter writer = CollectionWriter::open_or_create(part(i), test_manifest());
      Shelf::add(writer, 5 * i, 5 * i + 5);
    }
  }

  fs::path part(uint32_t number) const { return folder / ("part" + std::to_string(number)); }
  std::vector<fs::path> all() const { return {part(0), part(1), part(2)}; }

  fs::path write_set(const std::string& text) const {
    const fs::path set = folder / "some.set";
    std::ofstream(set, std::ios::binary) << text;
    return set;
  }

  TemporaryDirectory directory;
  fs::path folder = directory / "shelves";
};

bool tells(const Error& error, const std::string& words) {
  return std::string(error.what()).find(words) != std::string::npos;
}

std::vector<fs::path> parts_of_one(const fs::path& named) {
  return parts_of(std::vector<fs::path>{named});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(open_view_of_what_is_named)

BOOST_AUTO_TEST_CASE(a_list_a_folder_and_a_set_are_the_same) {
  const ThreeShelves shelves;
  BOOST_TEST((parts_of(shelves.all()) == shelves.all()));
  BOOST_TEST((parts_of_one(shelves.folder) == shelves.all()));
  const fs::path set = shelves.write_set("# all of them\n\npart0\r\n  part1\t\n\npart2");
  BOOST_TEST((parts_of_one(set) == shelves.all()));
  BOOST_TEST((parts_of_one(shelves.part(1)) == std::vector{shelves.part(1)}));
  BOOST_TEST(open_view(set).view.rows() == 15u);
  BOOST_TEST(open_view(shelves.folder).is_whole());
}

BOOST_AUTO_TEST_CASE(each_part_counts_once_under_whatever_name) {
  const ThreeShelves shelves;
  fs::create_directory_symlink(shelves.part(0), shelves.directory / "link");
  const std::vector<fs::path> named = {shelves.directory / "link", shelves.folder,
                                       shelves.part(0) / "."};
  BOOST_TEST(parts_of(named).size() == 3u);
  BOOST_TEST((parts_of(named).front() == shelves.directory / "link"));
}

BOOST_AUTO_TEST_CASE(a_part_that_cannot_be_opened_is_told_with_the_line_that_names_it) {
  const ThreeShelves shelves;
  const fs::path set = shelves.write_set("part0\n# two\nnowhere\npart2\n");
  const std::string where = set.string() + ", line 3";
  BOOST_CHECK_EXCEPTION(open_view(set), Error, [&](const Error& error) {
    return error.code() == ErrorCode::NotFound && tells(error, where) &&
           tells(error, "nowhere: ") && tells(error, "its disk may not be mounted") &&
           !tells(error, "zeroshelf-index add");
  });
  fs::create_directories(shelves.folder / "nowhere");
  BOOST_CHECK_EXCEPTION(open_view(set), Error, [&](const Error& error) {
    return tells(error, where) && tells(error, "its disk may not be mounted");
  });
  fs::remove(shelves.folder / "nowhere");
  const auto is_folder_of_them = [&](const Error& error) {
    return tells(error, "a folder of collections") && tells(error, "name one of them");
  };
  const fs::path above = shelves.directory / "above.set";
  std::ofstream(above) << "shelves\n";
  BOOST_CHECK_EXCEPTION(open_view(above), Error, is_folder_of_them);
  BOOST_CHECK_EXCEPTION(compact_collection(shelves.folder), Error, is_folder_of_them);
  const OpenedView opened = open_view(set, LostParts::LeaveOut);
  BOOST_REQUIRE(opened.lost.size() == 1u);
  BOOST_TEST(tells(opened.lost.front(), where));
}

BOOST_AUTO_TEST_CASE(what_is_no_set_is_refused_by_its_line) {
  const ThreeShelves shelves;
  const auto refused = [&](const std::string& text, const std::string& words) {
    const fs::path set = shelves.write_set(text);
    BOOST_CHECK_EXCEPTION(parts_of_one(set), Error, [&](const Error& error) {
      return error.code() == ErrorCode::InvalidArgument && tells(error, words) &&
             tells(error, set.string());
    });
  };
  refused("", "names no collection");
  refused("# nothing\n", "names no collection");
  refused("part0\nother.set\n", "line 2");
  refused("part0\n" + std::string(5000, 'x') + "\n", "line 2");
  refused(std::string("part0\0part1\n", 12), "zero byte");
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "part" + std::to_string(i) + "\n";
  refused(many, "line 4097");
  refused(std::string((1 << 20) + 1, '#'), "");
  BOOST_CHECK_THROW(parts_of_one(shelves.folder / "absent.set"), Error);
}

BOOST_AUTO_TEST_CASE(a_lost_part_is_named_or_left_out) {
  const ThreeShelves shelves;
  fs::rename(shelves.part(1), shelves.directory / "elsewhere");
  const auto names_it = [&](const Error& error) { return tells(error, shelves.part(1).string()); };
  BOOST_CHECK_EXCEPTION(open_view(shelves.all()), Error, names_it);
  const OpenedView opened = open_view(shelves.all(), LostParts::LeaveOut);
  BOOST_TEST(opened.parts == 3u);
  BOOST_REQUIRE(opened.lost.size() == 1u);
  BOOST_TEST(names_it(opened.lost.front()));
  BOOST_TEST(opened.view.rows() == 10u);

  for (const uint32_t part : {0u, 2u}) fs::remove_all(shelves.part(part));
  BOOST_CHECK_THROW(open_view(shelves.all(), LostParts::LeaveOut), Error);
}

BOOST_AUTO_TEST_CASE(a_damaged_part_is_lost_and_one_that_was_only_begun_too) {
  const ThreeShelves shelves;
  std::ofstream(shelves.part(2) / "MANIFEST.json") << "{";
  BOOST_CHECK_THROW(open_view(shelves.folder), Error);
  BOOST_TEST(open_view(shelves.folder, LostParts::LeaveOut).lost.size() == 1u);
  fs::create_directories(shelves.folder / "part9");
  std::ofstream(shelves.folder / "part9" / "LOCK") << "";
  BOOST_TEST(open_view(shelves.folder, LostParts::LeaveOut).lost.size() == 2u);
}

BOOST_AUTO_TEST_CASE(another_model_is_never_left_out) {
  const ThreeShelves shelves;
  CollectionWriter::open_or_create(shelves.folder / "part3", test_manifest("other"));
  BOOST_CHECK_EXCEPTION(open_view(shelves.folder, LostParts::LeaveOut), Error,
                        [&](const Error& error) {
                          return error.code() == ErrorCode::Incompatible && tells(error, "part3");
                        });
}

BOOST_AUTO_TEST_CASE(a_link_in_a_folder_of_collections_that_leads_nowhere_is_a_lost_part) {
  const ThreeShelves shelves;
  const fs::path link = shelves.folder / "part3";
  fs::create_symlink(shelves.directory / "away" / "part3", link);
  fs::create_symlink("user@host.1:2", shelves.folder / ".#notes.txt");  // an editor's lock
  const auto names_it = [&](const Error& error) {
    return tells(error, link.string() + ": ") && tells(error, "leads nowhere");
  };
  BOOST_CHECK_EXCEPTION(open_view(shelves.folder), Error, names_it);
  BOOST_CHECK_EXCEPTION(parts_of_one(shelves.folder), Error, names_it);
  const OpenedView opened = open_view(shelves.folder, LostParts::LeaveOut);
  BOOST_TEST(opened.parts == 4u);
  BOOST_REQUIRE(opened.lost.size() == 1u);
  BOOST_TEST(names_it(opened.lost.front()));
  BOOST_TEST(open_view(shelves.all()).is_whole());

  // Somebody else's folder is told as such.
  const fs::path other = shelves.folder / "no collection";
  std::ofstream(other / "notes.txt") << "theirs";
  fs::create_symlink("nowhere", other / "link");
  BOOST_CHECK_EXCEPTION(open_view(other), Error, [&](const Error& error) {
    return tells(error, other.string() + ": a folder that is no collection");
  });
}

BOOST_AUTO_TEST_CASE(a_folder_of_shards_lacks_none) {
  const ThreeShelves shelves;
  const auto make_shard = [&](uint32_t part, const char* shard) {
    Settings(shelves.part(part)).remember_shard(shard);
  };
  for (uint32_t i = 0; i < 3; ++i) make_shard(i, (std::to_string(i) + "/3").c_str());
  BOOST_TEST(open_view(shelves.folder).is_whole());

  const auto is_missing = [&](const std::string& words) {
    return [&shelves, words](const Error& error) {
      return error.code() == ErrorCode::Unavailable && tells(error, words) &&
             tells(error, shelves.folder.string() + ": ");
    };
  };
  for (uint32_t i = 0; i < 3; ++i) make_shard(i, (std::to_string(i + 1) + "/5").c_str());
  BOOST_CHECK_EXCEPTION(open_view(shelves.folder), Error,
                        is_missing("parts 0, 4 of 5 are missing"));
  BOOST_CHECK_EXCEPTION(parts_of_one(shelves.folder), Error,
                        is_missing("parts 0, 4 of 5 are missing"));
  const OpenedView opened = open_view(shelves.folder, LostParts::LeaveOut);
  BOOST_TEST(opened.parts == 5u);
  BOOST_REQUIRE(opened.lost.size() == 2u);
  BOOST_TEST(tells(opened.lost.front(), "part 0 of 5 is missing"));
  BOOST_TEST(tells(opened.lost.back(), "part 4 of 5 is missing"));
  BOOST_TEST(opened.view.rows() == 15u);
  BOOST_TEST(named_parts(std::vector{shelves.folder}).there.size() == 3u);
  BOOST_TEST(named_parts(std::vector{shelves.folder}).away.size() == 2u);

  // Those that are named themselves, or in a set, are the user's choice.
  BOOST_TEST(open_view(shelves.all()).is_whole());
  BOOST_TEST(open_view(shelves.write_set("part0\npart1\n")).is_whole());

  // What leads nowhere is one of the two.
  fs::create_symlink(shelves.directory / "away", shelves.folder / "part4");
  BOOST_TEST(open_view(shelves.folder, LostParts::LeaveOut).lost.size() == 2u);
  // As is what is damaged.
  std::ofstream(shelves.part(2) / "attachments" / "settings" / "shard") << "x";
  const OpenedView damaged = open_view(shelves.folder, LostParts::LeaveOut);
  BOOST_TEST(damaged.parts - damaged.lost.size() == 3u);
}

BOOST_AUTO_TEST_CASE(shards_may_lie_in_several_folders_but_not_twice_in_one) {
  const ThreeShelves shelves;
  for (uint32_t i = 0; i < 3; ++i)
    Settings(shelves.part(i)).remember_shard(std::to_string(i) + "/3");
  const fs::path other = shelves.directory / "other disk";
  fs::create_directories(other);
  fs::rename(shelves.part(2), other / "part2");
  BOOST_CHECK_THROW(open_view(shelves.folder), Error);
  BOOST_TEST(open_view(std::vector{shelves.folder, other}).is_whole());
  BOOST_TEST(open_view(std::vector{shelves.folder, other / "part2"}).is_whole());

  fs::copy(other / "part2", shelves.part(2), fs::copy_options::recursive);
  BOOST_TEST(open_view(shelves.folder).is_whole());
  fs::rename(other / "part2", shelves.folder / "part2 copy");
  BOOST_CHECK_EXCEPTION(open_view(shelves.folder, LostParts::LeaveOut), Error,
                        [&](const Error& error) {
                          return error.code() == ErrorCode::InvalidArgument &&
                                 tells(error, "part 2 of 3, as ") && tells(error, "part2 copy");
                        });
}

BOOST_AUTO_TEST_CASE(a_part_that_is_being_indexed_or_was_stopped_is_told) {
  const ThreeShelves shelves;
  const Settings settings(shelves.part(1));
  const std::vector<std::string> given = {shelves.folder.string(),
                                          shelves.directory.path().string()};
  settings.remember_roots({given.front()});
  settings.begin_adding({given.front()});
  const auto line = [&] {
    const OpenedView opened = open_view(shelves.folder);
    return opened.unfinished.empty() ? std::string() : opened.unfinished.front();
  };
  const std::string name = shelves.part(1).string();
  BOOST_TEST(line().find("run zeroshelf-index add " + name + " again") != std::string::npos);
  {
    const CollectionWriter writer = CollectionWriter::open_existing(shelves.part(1));
    BOOST_TEST(line().starts_with(name + ": is being indexed"));
  }
  settings.begin_adding({given.back()});
  BOOST_TEST(line().find("add " + name + " " + given.back() + " again") != std::string::npos);
  settings.end_adding({given.front()});
  BOOST_TEST(!line().empty());
  settings.end_adding({given.back()});  // what lies below is done with it
  BOOST_TEST(line() == "");
  settings.begin_adding({(shelves.folder / "gone").string(), ""});
  BOOST_TEST(line().find("--files0-from") != std::string::npos);
  settings.end_adding({""});
  BOOST_TEST(line() == "");
}

BOOST_AUTO_TEST_CASE(what_is_kept_before_there_is_a_collection_is_there_with_it) {
  TemporaryDirectory directory;
  const fs::path made = directory / "made";
  {
    const CollectionWriter writer = CollectionWriter::open_or_create(made, test_manifest(), [&] {
      BOOST_TEST(!fs::exists(made / "CURRENT"));
      BOOST_TEST(CollectionWriter::would_create(made));
      Settings(made).remember_shard("1/3");
      BOOST_TEST(CollectionWriter::would_create(made));
    });
  }
  BOOST_TEST((shard_of(Collection::open(made)) == Shard{1, 3}));
  CollectionWriter::open_or_create(made, test_manifest(), [] { BOOST_ERROR("it is there"); });
}

BOOST_AUTO_TEST_CASE(a_text_names_no_collections) {
  const ThreeShelves shelves;
  BOOST_TEST(names_collections(shelves.folder));
  BOOST_TEST(names_collections(shelves.part(0)));
  BOOST_TEST(names_collections(shelves.write_set("part0\n")));
  BOOST_TEST(!names_collections("two dogs in a kitchen"));
  BOOST_TEST(!names_collections("tennis.set"));
  BOOST_TEST(!names_collections(shelves.folder / "no collection"));
  BOOST_TEST(!names_collections(""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
