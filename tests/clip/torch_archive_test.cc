// Tests models/checkpoint/torch_archive.h, pickle.h and zip_directory.h: archives as libtorch
// writes them, and hostile ones.

#include "models/checkpoint/torch_archive.h"

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "lib/util/error.h"
#include "models/checkpoint/pickle.h"
#include "models/checkpoint/zip_directory.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/torch_files.h"

namespace zeroshelf {
namespace {

using testing::SavedTensor;
using testing::TemporaryDirectory;

const std::vector<SavedTensor> kTensors = {{"visual.proj", {2, 3}, {1, 2, 3, 4, 5, 6}},
                                           {"visual.block.0.weight", {2}, {7, 8}},
                                           {"scale", {}, {9}}};

std::vector<float> values_of(const TensorView& tensor) {
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

struct Fixture {
  TorchArchive read(const std::string& bytes) const {
    testing::write_file(path, bytes);
    return TorchArchive(path);
  }
  // The error of reading; its subject must be the file.
  Error refused(const std::string& bytes) const {
    try {
      read(bytes);
    } catch (const Error& error) {
      BOOST_TEST(error.subject() == path.string());
      return error;
    }
    BOOST_ERROR("it was read");
    return Error(ErrorCode::Io, "", "");
  }
  std::string with_pickle(const std::string& pickle) const {
    return testing::stored_zip(testing::archive_files(pickle, kTensors));
  }

  TemporaryDirectory folder;
  std::filesystem::path path = folder / "model.pt";
};

BOOST_FIXTURE_TEST_SUITE(torch_archives, Fixture)

BOOST_AUTO_TEST_CASE(both_kinds_give_their_tensors) {
  for (const std::string& bytes :
       {testing::state_dict_archive(kTensors), testing::module_archive(kTensors)}) {
    const TorchArchive archive = read(bytes);
    BOOST_REQUIRE(archive.tensors().size() == kTensors.size());
    for (const SavedTensor& tensor : kTensors) {
      const TensorView& view = archive.tensors().at(tensor.name);
      BOOST_TEST((view.type == TensorType::F32));
      BOOST_TEST(view.shape == tensor.shape);
      BOOST_TEST(values_of(view) == tensor.values);
    }
  }
  BOOST_TEST(read(testing::module_archive(kTensors)).module_classes().at("visual.block") ==
             "Module");
  BOOST_TEST(read(testing::state_dict_archive(kTensors)).module_classes().empty());
}

BOOST_AUTO_TEST_CASE(large_archives_have_their_numbers_elsewhere) {
  const auto files = testing::archive_files(testing::state_dict_pickle(kTensors), kTensors);
  const TorchArchive archive = read(testing::stored_zip(files, /*with_zip64=*/true));
  BOOST_TEST(values_of(archive.tensors().at("visual.proj")) == kTensors[0].values);
}

BOOST_AUTO_TEST_CASE(elements_come_in_the_order_of_the_shape) {
  const std::vector<float> values = {0, 1, 2, 3, 4, 5, 6, 7};
  const TorchArchive archive = read(testing::state_dict_archive({
      {"turned", {2, 3}, values, {1, 2}, 1},
      {"part", {3}, values, {1}, 4},
      {"spread", {2, 2}, values, {4, 2}},
      {"one", {1, 2}, values, {INT64_MAX, 3}},
      {"empty", {0, 5}, values, {5, 1}},
  }));
  const auto check = [&](const char* name, const std::vector<float>& expected) {
    BOOST_TEST_CONTEXT(name) BOOST_TEST(values_of(archive.tensors().at(name)) == expected);
  };
  check("turned", {1, 3, 5, 2, 4, 6});
  check("part", {4, 5, 6});
  check("spread", {0, 2, 4, 6});
  check("one", {0, 3});
  check("empty", {});
}

BOOST_AUTO_TEST_CASE(tensors_outside_their_storage_are_refused) {
  const std::vector<float> values = {0, 1, 2, 3};
  const std::vector<SavedTensor> hostile = {
      {"a", {5}, values},
      {"a", {4}, values, {1}, 1},
      {"a", {2, 2}, values, {3, 1}},
      {"a", {1000, 1000}, values, {0, 0}},
      {"a", {2}, values, {INT64_MAX}},
      {"a", {4}, values, {1}, INT64_MAX},
      {"a", {INT64_MAX, INT64_MAX}, values, {0, 0}},
      {"a", {-1}, values},
      {"a", {2}, values, {-1}, 3},
      {"a", {4}, values, {1}, -1},
      {"a", {1, 1, 1, 1, 1, 1, 1, 1, 1}, values},
      {"a", {2}, values, {1, 1}},
      {"a", {0, INT64_MAX, INT64_MAX}, values, {1, 1, 1}},
  };
  for (size_t i = 0; i < hostile.size(); ++i) {
    BOOST_TEST_CONTEXT(i)
    BOOST_TEST(
        (refused(testing::state_dict_archive({hostile[i]})).code() == ErrorCode::Corruption));
  }
}

// What would be copied for tensors that do not lie in order is bounded by the file.
BOOST_AUTO_TEST_CASE(a_small_file_never_takes_much_memory) {
  std::vector<SavedTensor> tensors;
  for (int i = 0; i < 40; ++i) {
    const std::vector<float> values(i == 0 ? 20'000 : 0, 1.0f);
    tensors.push_back({std::to_string(i), {100, 200}, values, {1, 100}, 0, 0});
  }
  std::string pickle = testing::state_dict_pickle(tensors);
  // All of them are views of one storage of 20,000 elements.
  const std::string none = std::string("J\0\0\0\0tQ", 7);
  const std::string all = std::string("J\x20\x4e\0\0tQ", 7);
  for (size_t at = 0; (at = pickle.find(none, at)) != std::string::npos;)
    pickle.replace(at, none.size(), all);
  const Error error = refused(testing::stored_zip(testing::archive_files(pickle, tensors)));
  BOOST_TEST(error.cause().find("is not in its storage") != std::string::npos);
  BOOST_TEST(read(testing::state_dict_archive({tensors[0]})).tensors().size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_a_pickle_asks_for_is_refused_by_name) {
  for (const char* global : {"os\nsystem\n", "builtins\neval\n", "posix\nsystem\n", "torch\nload\n",
                             "torch._utils\n_rebuild_sparse_tensor\n"}) {
    const Error error = refused(with_pickle(std::string("\x80\x02"
                                                        "c") +
                                            global +
                                            "X\x02\x00\x00\x00"
                                            "ls\x85R."));
    BOOST_TEST_CONTEXT(global) {
      BOOST_TEST(
          (error.code() == ErrorCode::Incompatible || error.code() == ErrorCode::Corruption));
    }
  }
  const std::string ask(
      "\x80\x02"
      "cos\nsystem\n(X\x02\x00\x00\x00lstR.",
      26);
  const Error error = refused(with_pickle(ask));
  BOOST_TEST((error.code() == ErrorCode::Incompatible));
  BOOST_TEST(error.cause().find("os.system") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(pickles_that_are_none_are_refused) {
  const std::string hostile[] = {
      "",
      ".",
      "N.",
      "(.",
      "t.",
      ")R.",
      "h\x01.",
      "N\x85",
      "(((((.",
      "}(NNu.",
      "}(Nu.",
      "NN\x86"
      "b.",
      "i.",
      "c__torch__.a\nB",
      std::string("X\xff\xff\xff\xff", 5) + "a.",
      "\x8a\xff.",
      "c__torch__.a\nB\n)\x81.",
      "c__torch__.a\nB\n)\x81}b}b.",
      "c__torch__.a\nB\n)\x81Nb.",
      // A module that is a member of itself.
      std::string("c__torch__.a\nB\n)\x81q\x01}X\x01\x00\x00\x00xh\x01sb.", 33),
      // A list in a list in a list ...
      std::string(3'000'000, '\x85'),
      ")" + std::string(900'000, '\x85') + ".",
      std::string(2'000'000, 'N') + ".",
  };
  for (size_t i = 0; i < std::size(hostile); ++i) {
    BOOST_TEST_CONTEXT(i) {
      const Error error = refused(with_pickle(hostile[i]));
      BOOST_TEST(
          (error.code() == ErrorCode::Corruption || error.code() == ErrorCode::Incompatible));
    }
  }
}

BOOST_AUTO_TEST_CASE(archives_cut_short_are_refused) {
  const std::string whole = testing::module_archive(kTensors);
  for (size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST((refused(whole.substr(0, size)).code() == ErrorCode::Corruption ||
                refused(whole.substr(0, size)).code() == ErrorCode::Incompatible));
  }
}

BOOST_AUTO_TEST_CASE(archives_of_others_are_refused) {
  const auto has_cause = [](const Error& error, const char* words) {
    BOOST_TEST_CONTEXT(error.cause()) BOOST_TEST(error.cause().find(words) != std::string::npos);
  };
  has_cause(refused(testing::stored_zip({{"word/document.xml", "x"}})), "none of libtorch's");
  has_cause(refused(testing::stored_zip({{"a/data.pkl", "N."}, {"a/data.pkl", "N."}})), "twice");
  has_cause(refused(testing::module_archive(kTensors, {{"archive/byteorder", "big"}})), "endian");
  has_cause(refused(testing::module_archive(
                kTensors, {{"archive/code/__torch__/made.py", "def __setstate__(self): pass"}})),
            "code of its own");
  read(testing::module_archive(kTensors, {{"archive/code/__torch__/made.py", "class Module:"},
                                          {"archive/byteorder", "little"}}));
  std::string encrypted = testing::module_archive(kTensors);
  const size_t listed = encrypted.find("PK\x01\x02");
  encrypted[listed + 8] = 1;
  has_cause(refused(encrypted), "encrypted");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
