#include "lib/export/keyword_export.h"

#include <boost/test/unit_test.hpp>

#include <sys/xattr.h>

#include <set>
#include <stdexcept>

#include "lib/util/error.h"
#include "lib/xmp/packet_keywords.h"
#include "lib/xmp/picture_packet.h"
#include "tests/export/keyword_files.h"
#include "tests/support/draw.h"
#include "tests/support/ordinary_user.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::indexed;
using testing::other_sidecar;
using testing::tree;

struct Keywords {
  Keywords() {
    for (const char* name : {"a", "b", "c"})
      testing::write_file(picture(name), testing::jpeg_bytes(testing::gradient_image(16, 16, name[0])));
  }

  fs::path picture(const std::string& name) const { return folder / (name + ".jpg"); }
  fs::path sidecar(const std::string& name) const { return folder / (name + ".jpg.xmp"); }
  std::string content(const fs::path& path) const { return read_file(path, 1 << 24); }

  // Labels by the pictures' names; "" for none.
  KeywordCounts write(const std::map<std::string, std::string>& labels,
                      KeywordsIn where = KeywordsIn::Sidecars) {
    KeywordExportOptions options;
    options.where = where;
    options.collections = {"/collection"};
    options.on_failure = [this](const Error& error) { failures.push_back(error.what()); };
    options.on_rewritten = [this](size_t, std::span<const RewrittenFile> files) {
      rewritten.insert(rewritten.end(), files.begin(), files.end());
    };
    failures.clear();
    rewritten.clear();
    target = directory / ("run" + std::to_string(++runs));
    KeywordExport keywords(target, options);
    for (const auto& [name, label] : labels) {
      KeywordItem item;
      item.picture = indexed(picture(name));
      if (!label.empty()) item.keywords = {parse_keyword(label, "")};
      keywords.add(item);
    }
    keywords.finish();
    return keywords.counts();
  }

  KeywordUndoReport undo(const fs::path& run) {
    failures.clear();
    return undo_keywords(run, [this](const Error& error) { failures.push_back(error.what()); });
  }

  // The keywords of a sidecar that are not ours, and ours.
  std::string keywords(const fs::path& path) const {
    std::string told;
    for (const KeywordPath& one : others_keywords(content(path), {"zeroshelf"}))
      told += with_slashes(one) + " ";
    const std::string text = content(path);
    for (const char* label : {"cat", "dog"}) {
      if (text.find(">zeroshelf/" + std::string(label) + "<") != std::string::npos)
        told += "+" + std::string(label);
    }
    return told;
  }

  bool failed_with(const std::string& what) const {
    return failures.size() == 1 && failures.front().find(what) != std::string::npos;
  }

  testing::TemporaryDirectory directory;
  fs::path folder = directory / "pictures";
  fs::path target;
  std::vector<std::string> failures;
  std::vector<RewrittenFile> rewritten;
  int runs = 0;
};

BOOST_FIXTURE_TEST_SUITE(keyword_export, Keywords)

BOOST_AUTO_TEST_CASE(sidecars_are_made_changed_and_removed_as_labels_change) {
  testing::write_file(sidecar("b"), other_sidecar("theirs"));
  const auto before = tree(folder);
  KeywordCounts counts = write({{"a", "cat"}, {"b", "cat"}, {"c", ""}});
  BOOST_TEST(failures.empty());
  BOOST_TEST(counts.made == 1u);
  BOOST_TEST(counts.changed == 1u);
  BOOST_TEST(counts.with_keywords == 2u);
  BOOST_TEST(keywords(sidecar("a")) == "+cat");
  BOOST_TEST(keywords(sidecar("b")) == "theirs +cat");
  BOOST_TEST(!fs::exists(sidecar("c")));
  const auto first = tree(folder);
  const fs::path first_run = target;

  // The same again touches nothing, and leaves nothing.
  counts = write({{"a", "cat"}, {"b", "cat"}, {"c", ""}});
  BOOST_TEST(counts.touched() == 0u);
  BOOST_TEST(counts.same == 2u);
  BOOST_TEST(!fs::exists(target));
  BOOST_TEST((tree(folder) == first));

  counts = write({{"a", ""}, {"b", "dog"}, {"c", "dog"}});
  BOOST_TEST(counts.removed == 1u);
  BOOST_TEST(counts.changed == 1u);
  BOOST_TEST(counts.made == 1u);
  BOOST_TEST(!fs::exists(sidecar("a")));
  BOOST_TEST(keywords(sidecar("b")) == "theirs +dog");
  const fs::path second_run = target;

  // The earlier run cannot be taken back before the later one.
  BOOST_TEST(undo(first_run).problems == 1u);  // of b: there is no sidecar of a, as before
  BOOST_TEST(fs::exists(first_run / kKeywordJournalName));
  const KeywordUndoReport report = undo(second_run);
  BOOST_TEST(report.problems == 0u);
  BOOST_TEST(report.put_back == 3u);
  BOOST_TEST((tree(folder) == first));
  BOOST_TEST(undo(first_run).put_back == 2u);
  BOOST_TEST((tree(folder) == before));
  BOOST_TEST(!fs::exists(first_run));
  BOOST_TEST(!fs::exists(second_run));
}

BOOST_AUTO_TEST_CASE(pictures_keep_their_pixels_and_come_back_to_the_byte) {
  const auto before = tree(folder);
  const KeywordCounts counts = write({{"a", "cat"}, {"b", "animal/dog"}}, KeywordsIn::Pictures);
  BOOST_TEST(failures.empty());
  BOOST_TEST(counts.changed == 2u);
  BOOST_REQUIRE(rewritten.size() == 2u);
  BOOST_TEST((rewritten[0].after == indexed(picture("a")).content));
  const std::string bytes = content(picture("b"));
  BOOST_TEST(packet_in(PictureBytes::of(bytes))->find("zeroshelf/animal/dog") != std::string::npos);
  BOOST_TEST(fs::file_size(target / kKeywordOriginalsName) < 200u);  // not the pictures
  const fs::path first = target;
  BOOST_TEST(write({{"a", "cat"}, {"b", "animal/dog"}}, KeywordsIn::Pictures).touched() == 0u);
  const KeywordUndoReport report = undo(first);
  BOOST_TEST(report.put_back == 2u);
  BOOST_TEST((tree(folder) == before));
  const auto& followed = report.followed_by.at("/collection");
  BOOST_TEST(followed.size() == 2u);
  BOOST_TEST((followed[0].after == indexed(followed[0].path).content));
}

BOOST_AUTO_TEST_CASE(what_is_in_the_place_of_a_sidecar_and_is_none_is_left_alone) {
  testing::write_file(directory / "elsewhere", other_sidecar("theirs"));
  const auto refuses = [&](const std::string& cause) {
    const auto before = tree(directory.path());
    BOOST_TEST(write({{"a", "cat"}}).failed == 1u);
    BOOST_TEST(failed_with(cause), (failures.empty() ? "" : failures[0]));
    BOOST_TEST(failed_with("a.jpg.xmp"));
    BOOST_TEST(!fs::exists(target));
    // Where nothing is to be said, there is nothing to tell.
    BOOST_TEST(write({{"a", ""}}).failed == 0u);
    BOOST_TEST((tree(directory.path()) == before));
    fs::remove_all(sidecar("a"));
  };
  fs::create_symlink(directory / "elsewhere", sidecar("a"));
  refuses("a link, a folder or a device");
  fs::create_symlink(directory / "nowhere", sidecar("a"));
  refuses("a link, a folder or a device");
  fs::create_directory(sidecar("a"));
  refuses("a link, a folder or a device");
  BOOST_REQUIRE(::mkfifo(sidecar("a").c_str(), 0600) == 0);
  refuses("a link, a folder or a device");
  testing::write_file(sidecar("a"), "");
  refuses("is empty");
  testing::write_file(sidecar("a"), "<html></html>");
  refuses("cannot be read as XMP");
  testing::write_file(sidecar("a"), "\xff\xfe garbage");
  refuses("cannot be read as XMP");
  testing::write_file(sidecar("a"), "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"bb\">]>" +
                                        other_sidecar("&b;&b;"));
  refuses("cannot be read as XMP");
  testing::write_file(sidecar("a"), "");
  fs::resize_file(sidecar("a"), uint64_t{20} << 20);  // with nothing in it
  refuses("too large");
}

BOOST_AUTO_TEST_CASE(only_the_picture_that_was_indexed_is_written_to) {
  KeywordItem item;
  item.picture = indexed(picture("a"));
  item.keywords = {{"cat"}};
  testing::write_file(picture("a"), testing::jpeg_bytes(testing::gradient_image(16, 16, 99)));
  for (const KeywordsIn where : {KeywordsIn::Sidecars, KeywordsIn::Pictures}) {
    KeywordExportOptions options;
    options.where = where;
    options.collections = {"/collection"};
    options.on_failure = [this](const Error& error) { failures.push_back(error.what()); };
    failures.clear();
    const auto before = tree(folder);
    KeywordExport keywords(directory / "out", options);
    keywords.add(item);
    keywords.finish();
    BOOST_TEST(failed_with("changed since it was indexed"));
    BOOST_TEST((tree(folder) == before));
  }
  // Through a link a sidecar stands beside the link, and nothing is put into the picture.
  fs::create_symlink(picture("b"), picture("d"));
  BOOST_TEST(write({{"d", "cat"}}).made == 1u);
  BOOST_TEST(write({{"d", "cat"}}, KeywordsIn::Pictures).failed == 1u);
  BOOST_TEST(failed_with("a link, not the picture itself"));
}

BOOST_AUTO_TEST_CASE(formats_without_a_place_for_keywords_are_told) {
  testing::write_file(folder / "g.jpg", "GIF89a" + std::string(20, '\0'));
  testing::write_file(folder / "h.jpg", std::string("\0\0\0\x18" "ftypheic", 12) + std::string(20, '\0'));
  const auto before = tree(folder);
  BOOST_TEST(write({{"g", "cat"}}, KeywordsIn::Pictures).failed == 1u);
  BOOST_TEST(failed_with("no keywords are written into GIF"));
  BOOST_TEST(write({{"h", "cat"}}, KeywordsIn::Pictures).failed == 1u);
  BOOST_TEST(failed_with("no keywords are written into HEIF"));
  BOOST_TEST((tree(folder) == before));
}

BOOST_AUTO_TEST_CASE(permissions_and_attributes_stay) {
  testing::write_file(sidecar("a"), other_sidecar("theirs"));
  fs::permissions(sidecar("a"), fs::perms(0640));
  fs::permissions(picture("b"), fs::perms(0600));
  const bool has_attributes =
      ::setxattr(sidecar("a").c_str(), "user.xdg.tags", "mine", 4, 0) == 0;
  const auto before = tree(folder);
  write({{"a", "cat"}, {"b", "cat"}});
  BOOST_TEST((fs::status(sidecar("a")).permissions() == fs::perms(0640)));
  BOOST_TEST((fs::status(sidecar("b")).permissions() == fs::perms(0600)));
  const auto expect_attribute = [&] {
    char value[4] = {};
    if (has_attributes)
      BOOST_TEST(::getxattr(sidecar("a").c_str(), "user.xdg.tags", value, 4) == 4);
  };
  expect_attribute();
  BOOST_TEST(undo(target).put_back == 2u);
  BOOST_TEST((tree(folder) == before));
  expect_attribute();
}

BOOST_AUTO_TEST_CASE(a_folder_that_may_not_be_written_to_is_told_and_the_others_go_on) {
  const testing::OrdinaryUser user;
  Keywords own;  // that user's
  const fs::path closed = own.folder / "closed" / "d.jpg";
  testing::write_file(closed, testing::jpeg_bytes(testing::plain_image(8, 8, {1, 2, 3})));
  fs::permissions(closed.parent_path(), fs::perms(0555));
  const KeywordCounts counts = own.write({{"a", "cat"}, {"closed/d", "cat"}});
  fs::permissions(closed.parent_path(), fs::perms(0755));
  BOOST_TEST(counts.made == 1u);
  BOOST_TEST(own.failed_with("permission denied"));
  BOOST_TEST(own.undo(own.target).problems == 0u);
}

BOOST_AUTO_TEST_CASE(undo_leaves_what_somebody_changed_since) {
  write({{"a", "cat"}, {"b", "cat"}, {"c", "cat"}});
  const fs::path run = target;
  testing::write_file(sidecar("a"), other_sidecar("changed"));
  fs::remove(sidecar("b"));
  BOOST_TEST(undo(run).problems == 1u);  // b is as it was: not there
  BOOST_TEST(failed_with("a.jpg.xmp: somebody changed it since"));
  BOOST_TEST(failed_with("where another export changed it, undo that one first"));
  BOOST_TEST(!fs::exists(sidecar("c")));
  BOOST_TEST(keywords(sidecar("a")) == "changed ");
  fs::remove(sidecar("a"));
  BOOST_TEST(undo(run).problems == 0u);
  BOOST_TEST(!fs::exists(run));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
