// The pipeline's promises that a whole run does not show: order, a slow picture, memory, failures.

#include "lib/ingest/pipeline.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lib/image/preprocess.h"
#include "tests/support/draw.h"
#include "tests/support/fake_encoder.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct Files {
  explicit Files(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      std::string content = "P6\n2 1\n255\n......";
      content[content.size() - 1] = static_cast<char>(i);
      content[content.size() - 2] = static_cast<char>(i >> 8);
      add(std::to_string(i) + ".ppm", content);
    }
  }

  void add(const std::string& name, const std::string& content) {
    const fs::path path = directory / name;
    testing::write_file(path, content);
    find_files({path}, {}, [&](std::variant<FoundFile, SkippedPath> entry) {
      files.push_back(std::get<FoundFile>(entry));
    });
  }

  Pipeline pipeline(std::function<bool(const ContentHash&)> is_known) {
    options.prepare.preprocessing = encoder.info().preprocessing;
    return {files, encoder, options, std::move(is_known), times};
  }

  testing::TemporaryDirectory directory;
  std::vector<FoundFile> files;
  testing::FakeEncoder encoder;
  PipelineOptions options;
  StageTimes times;
};

bool is_new(const ContentHash&) {
  return false;
}

std::optional<Result> next(Pipeline& pipeline) {
  return pipeline.pop(20'000ms);
}

BOOST_AUTO_TEST_SUITE(pipeline)

BOOST_AUTO_TEST_CASE(every_file_comes_out_once_and_in_order) {
  for (const unsigned threads : {1u, 2u, 5u}) {
    Files made(203);
    made.options.threads = threads;
    made.options.window = 16;
    Pipeline pipeline = made.pipeline(is_new);
    for (const FoundFile& file : made.files) {
      const auto result = next(pipeline);
      BOOST_REQUIRE(result.has_value());
      BOOST_TEST(std::get<NewPicture>(*result).record.file.path == file.path);
    }
    BOOST_TEST(pipeline.empty());
    BOOST_TEST(made.encoder.images_encoded == 203u);
  }
}

BOOST_AUTO_TEST_CASE(a_slow_picture_does_not_hold_up_the_work_on_others) {
  Files made(300);
  made.options.threads = 2;
  std::atomic<bool> is_first{true};
  // The first file to arrive waits until all others are encoded.
  Pipeline pipeline = made.pipeline([&](const ContentHash&) {
    if (is_first.exchange(false)) {
      for (int i = 0; i < 2000 && made.encoder.images_encoded < 299; ++i) {
        std::this_thread::sleep_for(10ms);
      }
      BOOST_TEST(made.encoder.images_encoded == 299u);
    }
    return false;
  });
  while (!pipeline.empty()) BOOST_REQUIRE(next(pipeline).has_value());
}

BOOST_AUTO_TEST_CASE(pop_gives_up_so_that_the_caller_can_look_around) {
  Files made(1);
  std::promise<void> go;
  Pipeline pipeline = made.pipeline([&](const ContentHash&) {
    go.get_future().wait();
    return false;
  });
  BOOST_TEST(!pipeline.pop(5ms).has_value());
  go.set_value();
  BOOST_TEST(next(pipeline).has_value());
}

BOOST_AUTO_TEST_CASE(what_fails_throws_where_its_result_would_be) {
  Files made(40);
  made.options.threads = 3;
  std::atomic<int> asked{0};
  Pipeline pipeline = made.pipeline([&](const ContentHash&) -> bool {
    if (++asked == 20) throw std::runtime_error("twenty");
    return false;
  });
  int thrown = 0;
  int given = 0;
  while (!pipeline.empty()) {
    try {
      given += next(pipeline).has_value() ? 1 : 0;
    } catch (const std::runtime_error&) {
      ++thrown;
    }
  }
  BOOST_TEST(thrown == 1);
  BOOST_TEST(given == 39);
}

BOOST_AUTO_TEST_CASE(pictures_larger_than_the_memory_are_read_one_after_the_other) {
  Files made(0);
  for (int i = 0; i < 6; ++i) {
    const Image image = testing::gradient_image(300, 200, static_cast<uint32_t>(i));
    made.add(std::to_string(i) + ".png", testing::png_bytes(image));
  }
  made.options.threads = 4;
  made.options.memory_bytes = 1;
  Pipeline pipeline = made.pipeline(is_new);
  while (!pipeline.empty()) {
    const auto result = next(pipeline);
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST(std::get<NewPicture>(*result).record.width_px == 300u);
  }
}

BOOST_AUTO_TEST_CASE(a_lease_waits_for_room_and_the_earliest_never_does) {
  MemoryBudget budget(100);
  auto first = std::make_unique<MemoryBudget::Lease>(budget, 1);
  auto second = std::make_unique<MemoryBudget::Lease>(budget, 2);
  second->raise(90);
  first->raise(1000);  // the earliest: at once, whatever is in use
  std::atomic<bool> has_room{false};
  auto third = std::async(std::launch::async, [&] {
    MemoryBudget::Lease lease(budget, 3);
    lease.raise(10);
    has_room = true;
  });
  std::this_thread::sleep_for(30ms);
  BOOST_TEST(!has_room);
  second.reset();
  std::this_thread::sleep_for(30ms);
  BOOST_TEST(!has_room);  // the first still holds more than there is
  first.reset();
  third.get();
  BOOST_TEST(has_room);
}

BOOST_AUTO_TEST_CASE(a_reduced_jpeg_keeps_its_size_in_the_record_and_nearly_its_crop) {
  const Image large = testing::shapes_image(2003, 1501, 11, 60);
  const std::string bytes = testing::jpeg_bytes(large, 92);
  Files made(0);
  made.add("large.jpg", bytes);
  made.options.prepare.preprocessing.size_px = 224;
  made.options.prepare.keeps_text = false;
  MemoryBudget memory(1 << 30);
  MemoryBudget::Lease lease(memory, 0);
  const Prepared prepared =
      prepare(made.files[0], made.options.prepare, nullptr, is_new, {made.times, lease});
  const auto& picture = std::get<PreparedPicture>(prepared);
  BOOST_TEST(picture.record.width_px == 2003u);
  BOOST_TEST(picture.record.height_px == 1501u);

  const auto decoded = decode_image(std::as_bytes(std::span(bytes)), {});
  const Image whole = resize_and_crop(std::get<Image>(decoded), 224);
  double square = 0;
  for (size_t i = 0; i < whole.rgb.size(); ++i) {
    const double difference = static_cast<double>(whole.rgb[i]) - picture.crop.rgb[i];
    square += difference * difference;
  }
  const double rms = std::sqrt(square / static_cast<double>(whole.rgb.size()));
  BOOST_TEST(rms < 4.0);
  BOOST_TEST(rms > 0.0);  // it was reduced
  const auto reduced =
      decode_reduced(std::as_bytes(std::span(bytes)), DecodeLimits{}, EnoughPixels{448, 0});
  BOOST_TEST(std::get<ReducedImage>(reduced).image.width_px == 1002);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
