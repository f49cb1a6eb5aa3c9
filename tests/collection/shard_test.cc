#include "lib/collection/shard.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lib/collection/settings.h"
#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

Shard parse(const std::string& text, const std::map<std::string, std::string>& variables = {}) {
  return parse_shard(text, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

Manifest manifest() {
  Manifest manifest;
  manifest.model_name = "any";
  manifest.model_fingerprint = "f";
  manifest.dimension = 4;
  return manifest;
}

bool is_refused(const Error& error) {
  return error.code() == ErrorCode::InvalidArgument;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shard)

BOOST_AUTO_TEST_CASE(the_number_is_named_or_the_array_jobs) {
  BOOST_TEST((parse("2/8") == Shard{2, 8}));
  BOOST_TEST((parse("0/1") == Shard{0, 1}));
  BOOST_TEST((parse("8", {{"SLURM_ARRAY_TASK_ID", "7"}}) == Shard{7, 8}));
  BOOST_TEST((parse("8", {{"JOB_COMPLETION_INDEX", "3"}}) == Shard{3, 8}));
  BOOST_TEST((parse("8", {{"OMPI_COMM_WORLD_RANK", "1"}}) == Shard{1, 8}));
  BOOST_TEST((parse("8", {{"SLURM_ARRAY_TASK_ID", "2"}, {"OMPI_COMM_WORLD_RANK", "1"}}) ==
              Shard{2, 8}));
  BOOST_TEST((parse("1/8", {{"SLURM_ARRAY_TASK_ID", "7"}}) == Shard{1, 8}));
}

BOOST_AUTO_TEST_CASE(what_is_no_shard_is_refused) {
  for (const char* text : {"", "/", "8/8", "9/8", "-1/8", "1/0", "0", "a/8", "1/8x", " 1/8", "1/8/2",
                           "1/99999999999", "1/70000", "8"}) {
    BOOST_TEST_CONTEXT(text) { BOOST_CHECK_EXCEPTION(parse(text), Error, is_refused); }
  }
  BOOST_CHECK_EXCEPTION(parse("8", {{"SLURM_ARRAY_TASK_ID", "8"}}), Error, [](const Error& error) {
    return std::string(error.what()).find("SLURM_ARRAY_TASK_ID") != std::string::npos;
  });
}

// Never to change: parts that were made must stay parts.
BOOST_AUTO_TEST_CASE(paths_belong_where_they_always_did) {
  const auto shard_of_path = [](const char* path) {
    uint32_t number = 0;
    while (!Shard{number, 16}.has(path)) ++number;
    return number;
  };
  BOOST_TEST(shard_of_path("/pictures/a.jpg") == 8u);
  BOOST_TEST(shard_of_path("/pictures/b.jpg") == 9u);
  BOOST_TEST(shard_of_path("/") == 14u);
}

BOOST_AUTO_TEST_CASE(each_path_is_in_one_shard_and_shards_are_alike) {
  for (const uint32_t count : {1u, 3u, 8u}) {
    std::vector<int> sizes(count);
    for (int i = 0; i < 8000; ++i) {
      const std::string path = "/pictures/" + std::to_string(i) + ".jpg";
      int in = 0;
      for (uint32_t number = 0; number < count; ++number) {
        if (!Shard{number, count}.has(path)) continue;
        ++in;
        ++sizes[number];
      }
      BOOST_REQUIRE_EQUAL(in, 1);
    }
    for (const int size : sizes) BOOST_TEST(std::abs(size - 8000 / static_cast<int>(count)) < 200);
  }
}

BOOST_AUTO_TEST_CASE(a_part_remembers_its_shard_and_refuses_another) {
  const TemporaryDirectory directory;
  const CollectionWriter part = CollectionWriter::open_or_create(directory / "part", manifest());
  BOOST_TEST(!shard_of(part));
  claim_shard(part, {1, 3});
  claim_shard(part, {1, 3});
  BOOST_TEST((shard_of(part) == Shard{1, 3}));
  BOOST_CHECK_EXCEPTION(claim_shard(part, {2, 3}), Error, is_refused);
  BOOST_CHECK_EXCEPTION(claim_shard(part, {1, 4}), Error, is_refused);
}

BOOST_AUTO_TEST_CASE(a_collection_of_all_pictures_becomes_no_shard) {
  const TemporaryDirectory directory;
  CollectionWriter all = CollectionWriter::open_or_create(directory / "all", manifest());
  Batch batch;
  batch.skipped.push_back({{"/a", 1, 1, {}}, {SkipReason::NotAPicture, "no"}});
  all.commit(batch);
  BOOST_CHECK_EXCEPTION(claim_shard(all, {1, 3}), Error, is_refused);
}

BOOST_AUTO_TEST_CASE(a_damaged_shard_is_not_taken_for_none) {
  const TemporaryDirectory directory;
  const CollectionWriter part = CollectionWriter::open_or_create(directory / "part", manifest());
  Attachments(part.directory()).put("settings", "shard", "9/3");
  BOOST_CHECK_EXCEPTION(shard_of(part), Error,
                        [](const Error& error) { return error.code() == ErrorCode::Corruption; });
  claim_shard(part, {1, 3});
  BOOST_TEST((shard_of(part) == Shard{1, 3}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
