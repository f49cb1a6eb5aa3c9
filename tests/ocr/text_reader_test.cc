// Tests lib/ocr/text_reader.h.

#include "lib/ocr/text_reader.h"

#include <fcntl.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "lib/ocr/time_budget.h"
#include "lib/util/error.h"
#include "tests/support/draw.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::draw_text;
using testing::gradient_image;
using testing::noise_image;
using testing::plain_image;
using testing::text_image;

std::string text_in(const Image& image) {
  TextReader reader({});
  return joined_text(reader.read(image));
}

int omp_threads() {
  int threads = 0;
#pragma omp parallel
  {
#pragma omp single
    threads = omp_get_num_threads();
  }
  return threads;
}

}  // namespace

BOOST_AUTO_TEST_CASE(reads_words_in_order) {
  TextReader reader({});
  const std::vector<Word> words = reader.read(text_image("HELLO WORLD\nSECOND LINE"));
  BOOST_TEST(joined_text(words) == "HELLO WORLD SECOND LINE");
  for (const Word& word : words) BOOST_TEST((word.confidence >= 0.3f && word.confidence <= 1.0f));
  BOOST_TEST(mean_confidence(words) > 0.6f);
}

BOOST_AUTO_TEST_CASE(boxes_lie_on_the_words) {
  Image image = plain_image(600, 300, {255, 255, 255});
  draw_text(image, "UPPER", 40, 80, 30, {});
  draw_text(image, "LOWER", 350, 240, 30, {});
  TextReader reader({});
  const std::vector<Word> words = reader.read(image);
  BOOST_REQUIRE(words.size() == 2);
  BOOST_TEST(words[0].text == "UPPER");
  BOOST_TEST(std::abs(words[0].box.x - 40) < 12);
  BOOST_TEST(std::abs(words[0].box.y + words[0].box.height - 80) < 12);
  BOOST_TEST(words[1].text == "LOWER");
  BOOST_TEST(std::abs(words[1].box.x - 350) < 12);
  BOOST_TEST(std::abs(words[1].box.y + words[1].box.height - 240) < 12);
}

BOOST_AUTO_TEST_CASE(pictures_without_text_give_no_words) {
  BOOST_TEST(text_in(plain_image(300, 200, {255, 255, 255})) == "");
  BOOST_TEST(text_in(plain_image(300, 200, {0, 0, 0})) == "");
  BOOST_TEST(text_in(gradient_image(300, 200, 5)) == "");
}

BOOST_AUTO_TEST_CASE(sizes_at_the_edge_are_read_without_harm) {
  TextReader reader({});
  const int sizes[][2] = {{1, 1},     {3, 2000},  {2000, 3},  {8, 8},
                          {9, 30000}, {40000, 9}, {10, 16001}};
  for (const auto& [width, height] : sizes) {
    BOOST_TEST(joined_text(reader.read(noise_image(width, height, 1))).size() < 10000u);
  }
}

BOOST_AUTO_TEST_CASE(boxes_of_a_huge_picture_are_in_its_own_pixels) {
  Image image = plain_image(5000, 4000, {255, 255, 255});
  draw_text(image, "LARGE", 1000, 3000, 200, {});
  TextReader reader({});
  const std::vector<Word> words = reader.read(image);
  BOOST_REQUIRE(words.size() == 1);
  BOOST_TEST(words[0].text == "LARGE");
  BOOST_TEST(std::abs(words[0].box.x - 1000) < 60);
  BOOST_TEST(std::abs(words[0].box.y + words[0].box.height - 3000) < 60);
}

BOOST_AUTO_TEST_CASE(a_reader_is_good_for_many_pictures) {
  TextReader reader({});
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(joined_text(reader.read(text_image("NUMBER"))) == "NUMBER");
    BOOST_TEST(reader.read(plain_image(100, 100, {255, 255, 255})).empty());
  }
}

BOOST_AUTO_TEST_CASE(readers_in_threads_agree) {
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  for (std::string& text : texts) {
    threads.emplace_back([&text] { text = text_in(text_image("PARALLEL READING")); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : texts) BOOST_TEST(text == "PARALLEL READING");
}

BOOST_AUTO_TEST_CASE(the_process_keeps_its_omp_threads) {
  omp_set_num_threads(3);
  omp_set_dynamic(0);
#ifdef __clang__  // which makes no threads of g++'s OpenMP
  if (omp_threads() == 1) return;
#endif
  BOOST_REQUIRE(omp_threads() == 3);
  BOOST_TEST(text_in(text_image("THREADS")) == "THREADS");
  BOOST_TEST(omp_threads() == 3);
}

BOOST_AUTO_TEST_CASE(a_picture_that_takes_too_long_is_given_up_with_cause_and_cure) {
  TextReader reader({.languages = "eng", .timeout_ms = 5});
  std::string lines;
  for (int i = 0; i < 30; ++i) lines += "SOME WORDS AND MORE OF THEM\n";
  const auto start = std::chrono::steady_clock::now();
  BOOST_CHECK_EXCEPTION(reader.read(text_image(lines, 40)), Error, [](const Error& error) {
    return error.code() == ErrorCode::Unavailable &&
           error.cause() == "not done after 0.005 s of processor time" &&
           error.cure() == "give it more with --ocr-timeout, or index it with --no-ocr";
  });
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(10)));
  BOOST_TEST(reader.read(plain_image(16, 16, {9, 9, 9})).empty());  // the reader is still good
}

BOOST_AUTO_TEST_CASE(time_in_which_the_thread_does_not_run_does_not_count) {
  const TimeBudget time{std::chrono::milliseconds(30)};
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  BOOST_TEST(!time.is_up());
  const auto start = std::chrono::steady_clock::now();
  while (!time.is_up() && std::chrono::steady_clock::now() - start < std::chrono::seconds(20)) {
  }
  BOOST_CHECK_THROW(time.check(), TimeIsUp);
}

BOOST_AUTO_TEST_CASE(a_page_of_many_lines_is_read_to_its_end) {
  constexpr int kColumns = 4;
  constexpr int kRows = 50;
  Image page = plain_image(kColumns * 260, kRows * 30 + 20, {255, 255, 255});
  for (int i = 0; i < kColumns * kRows; ++i)
    draw_text(page, "NUMBER", 20 + i / kRows * 260, 30 + i % kRows * 30, 14, {});
  const std::string text = text_in(page);
  size_t found = 0;
  for (size_t at = 0; (at = text.find("NUMBER", at)) != std::string::npos; ++at) ++found;
  BOOST_TEST(found > 190u);
}

BOOST_AUTO_TEST_CASE(a_page_in_columns_is_read_column_by_column) {
  Image page = plain_image(900, 400, {255, 255, 255});
  const char* const left[] = {"ALPHA IS READ BEFORE", "ALL THAT STANDS IN", "THE OTHER COLUMN"};
  const char* const right[] = {"OMEGA WITH ITS LINES", "IS READ WHEN THE OTHER", "IS AT ITS END"};
  for (int i = 0; i < 3; ++i) {
    draw_text(page, left[i], 30, 150 + 50 * i, 18, {});
    draw_text(page, right[i], 480, 150 + 50 * i, 18, {});
  }
  draw_text(page, "A HEADING OVER THE TWO COLUMNS OF IT", 100, 70, 24, {});
  const std::string text = text_in(page);
  const auto at = [&](const char* word) { return text.find(word); };
  BOOST_TEST_CONTEXT(text) {
    BOOST_REQUIRE(at("OMEGA") != std::string::npos);
    BOOST_TEST(at("HEADING") < at("ALPHA"));
    BOOST_TEST(at("ALPHA") < at("STANDS"));
    BOOST_TEST(at("STANDS") < at("OMEGA"));
    BOOST_TEST(at("OMEGA") < at("END"));
  }
}

BOOST_AUTO_TEST_CASE(a_long_screenshot_is_read_to_its_end) {
  for (const auto& [width, height] : {std::pair{400, 12000}, {600, 7500}, {1080, 14400}}) {
    Image image = plain_image(width, height, {255, 255, 255});
    for (int i = 0; i < 12; ++i)
      draw_text(image, "MESSAGE", 30, 60 + i * height / 12, 18, {20, 20, 20});
    TextReader reader({});
    const std::vector<Word> words = reader.read(image);
    BOOST_TEST(words.size() == 12u);
    for (size_t i = 0; i < words.size(); ++i) {
      BOOST_TEST(words[i].text == "MESSAGE");
      BOOST_TEST(std::abs(words[i].box.y + words[i].box.height - 60 -
                          static_cast<int>(i) * height / 12) < 8);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_line_along_a_panorama_is_one_line) {
  Image image = plain_image(3000, 400, {255, 255, 255});
  draw_text(image, "ONE LINE OF TEXT THAT GOES ON AND ON OVER THE WHOLE OF A WIDE PICTURE", 40, 150,
            40, {20, 20, 20});
  draw_text(image, "AND ANOTHER ONE BELOW IT THAT IS READ AFTER THE FIRST", 40, 300, 40,
            {20, 20, 20});
  BOOST_TEST(
      text_in(image) ==
      "ONE LINE OF TEXT THAT GOES ON AND ON OVER THE WHOLE OF A WIDE PICTURE AND ANOTHER ONE "
      "BELOW IT THAT IS READ AFTER THE FIRST");
}

BOOST_AUTO_TEST_CASE(a_picture_on_its_side_or_head_is_read_and_says_so) {
  Image upright = plain_image(700, 300, {250, 250, 240});
  draw_text(upright, "WHERE IS MY BLUE JACKET", 40, 100, 24, {20, 20, 20});
  draw_text(upright, "IT WAS HERE THIS MORNING", 40, 160, 24, {20, 20, 20});
  TextReader reader({});
  Image lying = upright;
  for (const int degrees : {0, 270, 180, 90}) {
    const PictureText text = reader.read_picture(lying);
    BOOST_TEST_CONTEXT(degrees) {
      BOOST_TEST(text.turned_degrees == degrees);
      BOOST_TEST(joined_text(text.words) == "WHERE IS MY BLUE JACKET IT WAS HERE THIS MORNING");
      for (const Word& word : text.words) {
        BOOST_TEST(word.box.x >= 0);
        BOOST_TEST(word.box.y >= 0);
        BOOST_TEST(word.box.x + word.box.width <= lying.width_px);
        BOOST_TEST(word.box.y + word.box.height <= lying.height_px);
        if (word.text.size() >= 4)
          BOOST_TEST((degrees % 180 == 0) == (word.box.width > word.box.height));
      }
    }
    Image next = plain_image(lying.height_px, lying.width_px, {});
    for (int y = 0; y < lying.height_px; ++y) {
      for (int x = 0; x < lying.width_px; ++x) {
        const size_t from = 3 * (static_cast<size_t>(y) * lying.width_px + x);
        const size_t to = 3 * (static_cast<size_t>(x) * next.width_px + next.width_px - 1 - y);
        std::copy_n(lying.rgb.begin() + static_cast<ptrdiff_t>(from), 3,
                    next.rgb.begin() + static_cast<ptrdiff_t>(to));
      }
    }
    lying = next;
  }
}

BOOST_AUTO_TEST_CASE(missing_language_names_its_package) {
  for (const char* languages : {"xyz_tra", "eng+xyz_tra"}) {
    try {
      TextReader reader({.languages = languages});
      BOOST_FAIL("no error");
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::Unavailable));
      BOOST_TEST(error.cure() == "apt-get install tesseract-ocr-xyz-tra");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_missing_language_tells_of_the_folder_that_the_environment_names) {
  const testing::TemporaryDirectory empty;
  ::setenv("TESSDATA_PREFIX", empty.path().c_str(), 1);
  for (const char* languages : {"eng", "auto"}) {
    try {
      TextReader reader({.languages = languages});
      BOOST_ERROR("no error");
    } catch (const Error& error) {
      BOOST_TEST(error.cure().find("unset TESSDATA_PREFIX, which names the folder " +
                                   empty.path().string()) != std::string::npos,
                 error.cure());
    }
  }
  ::unsetenv("TESSDATA_PREFIX");
}

BOOST_AUTO_TEST_CASE(languages_that_are_no_codes_are_refused) {
  for (const char* languages : {"", "+", "../eng", "eng deu"}) {
    BOOST_CHECK_EXCEPTION(TextReader({.languages = languages}), Error, [](const Error& error) {
      return error.code() == ErrorCode::InvalidArgument;
    });
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_language_is_refused_by_its_name) {
  const std::pair<const char*, std::string> refused[] = {
      {"auto+eng", "auto stands alone"}, {"eng+auto", "auto stands alone"}, {"osd", "osd is data"},
      {"eng+osd", "osd is data"},        {"equ+eng", "equ is data"},
  };
  for (const auto& [languages, cause] : refused) {
    BOOST_CHECK_EXCEPTION(TextReader({.languages = languages}), Error, [&](const Error& error) {
      return error.code() == ErrorCode::InvalidArgument &&
             std::string(error.what()).find(cause) != std::string::npos &&
             error.cure().find("apt-get") == std::string::npos;
    });
  }
}

BOOST_AUTO_TEST_CASE(nothing_reaches_stderr) {
  char name[] = "/tmp/zeroshelf-ocr-XXXXXX";
  const int file = ::mkstemp(name);
  ::unlink(name);
  const int kept = ::dup(STDERR_FILENO);
  ::dup2(file, STDERR_FILENO);
  try {
    text_in(noise_image(200, 100, 3));
    text_in(text_image("QUIET"));
    TextReader({.languages = "xyz"});
  } catch (const Error&) {
  }
  ::dup2(kept, STDERR_FILENO);
  BOOST_TEST(::lseek(file, 0, SEEK_END) == 0);
  ::close(kept);
  ::close(file);
}

BOOST_AUTO_TEST_CASE(scripts_without_spaces_are_joined_without_them) {
  BOOST_TEST(joined_text({{"春天", 1, {0, 0, 40, 20}}, {"来了", 1, {42, 0, 40, 20}}}) ==
             "春天来了");
  BOOST_TEST(joined_text({{"春天", 1, {0, 0, 40, 20}}, {"来了", 1, {0, 26, 40, 20}}}) ==
             "春天来了");
  BOOST_TEST(joined_text({{"春天", 1, {0, 0, 40, 20}}, {"来了", 1, {90, 0, 40, 20}}}) ==
             "春天 来了");
  BOOST_TEST(joined_text({{"春天", 1, {0, 0, 40, 20}}, {"spring", 1, {42, 0, 90, 20}}}) ==
             "春天 spring");
  BOOST_TEST(joined_text({{"오늘은", 1, {0, 0, 60, 20}}, {"집에", 1, {64, 0, 40, 20}}}) ==
             "오늘은 집에");
}

BOOST_AUTO_TEST_CASE(confidence_is_weighted_by_length) {
  const std::vector<Word> words = {{"abc", 1.0f, {}}, {"d", 0.2f, {}}};
  BOOST_TEST(std::abs(mean_confidence(words) - 0.8f) < 1e-6f);
  BOOST_TEST(mean_confidence({}) == 0.0f);
  BOOST_TEST(joined_text({}) == "");
}

}  // namespace zeroshelf
