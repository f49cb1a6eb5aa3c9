#include "lib/ocr/reading_order.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numbers>
#include <random>
#include <sstream>
#include <string>

#include "lib/ocr/logical_order.h"

namespace zeroshelf {
namespace {

using Lines = std::vector<std::vector<Word>>;

constexpr int kLetterPx = 20;
constexpr int kAdvancePx = 10;  // from letter to letter

// A line with its left end at x and its middle at y.
std::vector<Word> line(const std::string& text, int x, int y, int letter_px = kLetterPx) {
  const int advance = kAdvancePx * letter_px / kLetterPx;
  std::vector<Word> words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) {
    const int width = advance * static_cast<int>(word.size());
    words.push_back({word, 1, {x, y - letter_px / 2, width, letter_px}});
    x += width + advance;
  }
  return words;
}

// One line below the other.
void add_block(Lines& lines, const std::vector<std::string>& texts, int x, int y,
               int step_px = 28) {
  for (const std::string& text : texts) {
    lines.push_back(line(text, x, y));
    y += step_px;
  }
}

// As if the page lay at an angle.
Lines turned(Lines lines, double degrees) {
  const double slope = std::tan(degrees * std::numbers::pi / 180);
  for (std::vector<Word>& words : lines) {
    for (Word& word : words) {
      word.box.y += static_cast<int>(std::lround(slope * (word.box.x + word.box.width / 2.0)));
    }
  }
  return lines;
}

// The first words of the lines in their order, which no order of finding them changes.
std::string first_words(Lines lines) {
  std::string answer;
  std::mt19937 random(3);
  for (int i = 0; i < 10; ++i) {
    std::string words;
    for (const size_t at : reading_order(lines))
      words += (words.empty() ? "" : " ") + lines[at].front().text;
    if (i > 0) BOOST_TEST(words == answer);
    answer = words;
    std::ranges::shuffle(lines, random);
  }
  return answer;
}

const std::vector<std::string> kLeft = {"a1 columns of running text", "a2 are read one after the",
                                        "a3 other, as in newspapers", "a4 and in many papers"};
const std::vector<std::string> kRight = {"b1 while this one has its", "b2 turn only when the one",
                                         "b3 on the left is done and", "b4 not before that"};
const std::vector<std::string> kThird = {"c1 the third is the last", "c2 of them all, at least on",
                                         "c3 a page that has three", "c4 and no more than"};

Lines two_columns() {
  Lines lines;
  add_block(lines, kLeft, 20, 100);
  add_block(lines, kRight, 340, 100);
  return lines;
}
Lines three_columns() {
  Lines lines = two_columns();
  add_block(lines, kThird, 660, 100);
  return lines;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reading_order_of)

BOOST_AUTO_TEST_CASE(nothing_one_word_and_one_line) {
  BOOST_TEST(reading_order({}).empty());
  BOOST_TEST(first_words({line("alone", 10, 10)}) == "alone");
  BOOST_TEST(first_words({line("all in one row", 10, 10)}) == "all");
}

BOOST_AUTO_TEST_CASE(rows_go_from_top_to_bottom_and_from_left_to_right) {
  BOOST_TEST(first_words({line("when you see it", 60, 20), line("bottom text here", 40, 400),
                          line("too late", 300, 23)}) == "when too bottom");
}

BOOST_AUTO_TEST_CASE(columns_of_running_text_follow_each_other) {
  BOOST_TEST(first_words(two_columns()) == "a1 a2 a3 a4 b1 b2 b3 b4");
}

BOOST_AUTO_TEST_CASE(columns_need_no_common_base_lines) {
  Lines lines;
  add_block(lines, kLeft, 20, 100);
  add_block(lines, kRight, 340, 113, 30);
  BOOST_TEST(first_words(lines) == "a1 a2 a3 a4 b1 b2 b3 b4");
}

BOOST_AUTO_TEST_CASE(three_columns_follow_each_other) {
  BOOST_TEST(first_words(three_columns()) == "a1 a2 a3 a4 b1 b2 b3 b4 c1 c2 c3 c4");
}

BOOST_AUTO_TEST_CASE(a_heading_comes_before_and_a_footer_after_the_columns) {
  Lines lines = two_columns();
  lines.push_back(line("HEADING over both of them", 60, 40, 36));
  lines.push_back(line("footer below both of the columns", 200, 240));
  BOOST_TEST(first_words(lines) == "HEADING a1 a2 a3 a4 b1 b2 b3 b4 footer");
}

BOOST_AUTO_TEST_CASE(a_line_across_ends_the_columns_above_it) {
  Lines lines = two_columns();
  lines.push_back(line("ACROSS the page from the left to the right", 100, 240));
  add_block(lines, {"d1 the second part of it", "d2 has its own two columns", "d3 as the first"},
            20, 280);
  add_block(lines, {"e1 and here is the right", "e2 one of the second part", "e3 that is all"}, 340,
            280);
  BOOST_TEST(first_words(lines) == "a1 a2 a3 a4 b1 b2 b3 b4 ACROSS d1 d2 d3 e1 e2 e3");
}

BOOST_AUTO_TEST_CASE(parts_of_a_page_may_have_their_gutters_at_different_places) {
  Lines lines = three_columns();
  lines.push_back(
      line("ACROSS the page from the left to the right and a little more than that", 100, 240));
  add_block(lines,
            {"d1 the second part of it has only two columns", "d2 which are as wide as the page",
             "d3 allows, or nearly as wide as that"},
            20, 280);
  add_block(
      lines,
      {"e1 and here is the right one", "e2 of the second part, and now", "e3 that is all there is"},
      540, 280);
  BOOST_TEST(first_words(lines) == "a1 a2 a3 a4 b1 b2 b3 b4 c1 c2 c3 c4 ACROSS d1 d2 d3 e1 e2 e3");
}

BOOST_AUTO_TEST_CASE(a_line_in_two_parts_does_not_hide_a_column) {
  Lines lines;
  add_block(lines, kLeft, 20, 100);
  lines[1] = line("a2 are read", 20, 128);
  lines.push_back(line("one after the", 160, 128));
  add_block(lines, kRight, 340, 100);
  BOOST_TEST(first_words(lines) == "a1 a2 one a3 a4 b1 b2 b3 b4");
}

BOOST_AUTO_TEST_CASE(pages_at_an_angle_are_read_like_level_ones) {
  for (const double degrees : {-5.0, -2.0, 1.0, 5.0}) {
    Lines lines = two_columns();
    lines.push_back(line("HEADING over both of them", 60, 40, 36));
    BOOST_TEST_CONTEXT(degrees)
    BOOST_TEST(first_words(turned(lines, degrees)) == "HEADING a1 a2 a3 a4 b1 b2 b3 b4");
  }
}

BOOST_AUTO_TEST_CASE(a_turned_caption_is_read_line_by_line) {
  const Lines lines = {line("when the page lies at an angle", 40, 100),
                       line("and lines are centred", 90, 128), line("as captions are", 120, 156)};
  for (const double degrees : {-5.0, 5.0}) {
    BOOST_TEST_CONTEXT(degrees)
    BOOST_TEST(first_words(turned(lines, degrees)) == "when and as");
  }
}

BOOST_AUTO_TEST_CASE(a_box_that_is_off_turns_no_page) {
  Lines lines = {line("the printer", 61, 40), line("knows when you", 363, 40),
                 line("are in a hurry", 234, 92)};
  lines[2].back().box.height += 26;
  BOOST_TEST(first_words(lines) == "the knows are");
}

BOOST_AUTO_TEST_CASE(a_receipt_stays_in_rows) {
  Lines lines;
  add_block(
      lines,
      {"coffee beans from Peru", "two rolls of wheat", "a litre of fresh milk", "total to be paid"},
      20, 100);
  add_block(lines, {"4.50", "1.20", "0.99", "6.69"}, 400, 100);
  BOOST_TEST(first_words(lines) == "coffee 4.50 two 1.20 a 0.99 total 6.69");
}

BOOST_AUTO_TEST_CASE(a_table_stays_in_rows) {
  Lines lines;
  add_block(lines, {"Name", "Ada Lovelace", "Alan Turing", "Grace Hopper"}, 20, 100);
  add_block(lines, {"Born in", "London 1815", "Maida Vale", "New York"}, 300, 100);
  add_block(lines, {"Known for", "notes", "machines", "a compiler"}, 600, 100);
  BOOST_TEST(first_words(lines) ==
             "Name Born Known Ada London notes Alan Maida machines Grace New a");
}

BOOST_AUTO_TEST_CASE(a_chat_stays_in_the_order_of_its_bubbles) {
  Lines lines;
  add_block(lines, {"1a are you coming to it", "1b or are you still asleep"}, 20, 100);
  add_block(lines, {"2a on my way as we speak", "2b no really I am here"}, 400, 170);
  add_block(lines, {"3a that is what you said", "3b an hour ago my friend"}, 20, 240);
  add_block(lines, {"4a and it was true then", "4b in a way that counts"}, 400, 310);
  BOOST_TEST(first_words(lines) == "1a 1b 2a 2b 3a 3b 4a 4b");
}

BOOST_AUTO_TEST_CASE(two_lines_beside_two_are_no_columns) {
  Lines lines;
  add_block(lines, {"l1 a short pair of lines", "l2 on the left side here"}, 20, 100);
  add_block(lines, {"r1 and a pair of lines", "r2 on the right side there"}, 340, 100);
  BOOST_TEST(first_words(lines) == "l1 r1 l2 r2");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_line_from_right_to_left_is_read_from_its_right_end) {
  const auto read = [](const std::string& seen) {
    return joined_text(in_logical_order(line(seen, 0, 0)));
  };
  BOOST_TEST(read("שלום לכל") == "לכל שלום");
  BOOST_TEST(read("العالم the best مرحبا") == "مرحبا the best العالم");
  BOOST_TEST(read("عام 12 34") == "12 34 عام");
  BOOST_TEST(read("plain words עברית") == "plain words עברית");
}

}  // namespace zeroshelf
