// Tested by tests/export/page_test.cc.

#include "lib/export/page.h"

#include <fmt/format.h>

#include <cassert>
#include <span>
#include <string_view>
#include <utility>

#include "lib/export/page_assets.h"
#include "lib/report/formats.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// A longer text is folded away, so that cards stay of a size.
constexpr int kShortTextColumns = 160;

std::string html(std::string_view text) {
  std::string out;
  append_html(out, text);
  return out;
}

// Text of its own direction: letters that are written from the right do not move what is beside.
std::string isolated(std::string_view text) {
  return "<bdi>" + html(text) + "</bdi>";
}

// A source of the Content-Security-Policy: this inline script or style and no other.
std::string policy_source(std::string_view content) {
  const ContentHash hash = content_hash(std::as_bytes(std::span(content)));
  const std::string_view bytes(reinterpret_cast<const char*>(hash.data()), hash.size());
  return "'sha256-" + base64(bytes) + "'";
}

std::string policy() {
  return fmt::format(
      "default-src 'none'; img-src data:; style-src {}; script-src {}; base-uri 'none'; "
      "form-action 'none'",
      policy_source(kPageStyle), policy_source(kPageScript));
}

std::string pictures(uint64_t count) {
  return count == 1 ? "1 picture" : with_thousands(count) + " pictures";
}

std::string section_count(const PageSection& section) {
  if (section.pictures == 0) return "no pictures";
  if (section.shown == section.pictures) return pictures(section.pictures);
  return fmt::format("the best {} of {}", with_thousands(section.shown),
                     pictures(section.pictures));
}

std::string section_id(size_t index) {
  return fmt::format("label-{}", index);
}

// The controls that the script reads; hidden where no script runs.
std::string filters(const std::vector<PageSection>& sections) {
  std::string options;
  for (size_t i = 0; i < sections.size(); ++i) {
    options += fmt::format("<option value=\"{}\">{} ({})</option>\n", section_id(i),
                           html(sections[i].label), with_thousands(sections[i].pictures));
  }
  return fmt::format(R"(<div id="filters" role="search" aria-label="Filters" hidden>
<label>Label<select id="label"><option value="">every label</option>
{}</select></label>
<label><span>Least score: <output id="least" for="min">any</output></span>
<input id="min" type="range" min="0" max="1" step="0.01" value="0"></label>
<label>Decided by<select id="by"><option value="">picture or text</option>
<option value="image">the picture</option><option value="text">the text in it</option></select></label>
<label class="wide">Words in the path or in the text that was read
<input id="find" type="search" autocomplete="off"></label>
<button id="reset" type="button">Show all</button>
</div>
<p id="status" class="faint" role="status"></p>
)",
                     options);
}

std::string thumbnail_html(const Thumbnail& thumbnail, const std::string& alt) {
  return fmt::format(
      "<img src=\"data:image/jpeg;base64,{}\" width=\"{}\" height=\"{}\" loading=\"lazy\" "
      "decoding=\"async\" alt=\"{}\">",
      base64(thumbnail.jpeg), thumbnail.width_px, thumbnail.height_px, alt);
}

std::string frame(const PagePicture& picture, const std::string& alt) {
  const auto* skip = std::get_if<Skip>(&picture.thumbnail);
  return "<div class=\"frame\">" +
         (skip == nullptr ? thumbnail_html(std::get<Thumbnail>(picture.thumbnail), alt)
                          : "<p class=\"gone\">No picture: " + html(skip->detail) + "</p>") +
         "</div>\n";
}

// What one side says: a row of the card's list.
std::string side(std::string_view name, std::string_view label, float score, bool won) {
  return fmt::format("<div{}><dt>{}</dt><dd>{}</dd><dd class=\"number\">{:.3f}</dd></div>\n",
                     won ? " class=\"won\"" : "", name, isolated(label), score);
}

std::string read_text(const std::string& text) {
  if (text.empty()) return "";
  const std::string read = "<bdi class=\"read\">" + html(text) + "</bdi>";
  return display_width(text) <= kShortTextColumns
             ? "<p class=\"text\">Text read: " + read + "</p>\n"
             : "<details class=\"text\"><summary>Text read</summary>" + read + "</details>\n";
}

}  // namespace

HtmlPage::HtmlPage(fs::path path, PageHead head) : head_(std::move(head)), file_(std::move(path)) {
  write_head();
}

void HtmlPage::write_head() {
  file_.write(fmt::format(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{}</title>
<style>{}</style>
</head>
<body>
<header>
<h1>{}</h1>
<p class="faint">{}</p>
</header>
)",
                          policy(), html(head_.title), kPageStyle, isolated(head_.title),
                          html(head_.subtitle)));
  file_.write(filters(head_.sections));
  file_.write("<main>\n");
}

void HtmlPage::begin_section(size_t index) {
  const PageSection& section = head_.sections[index];
  const std::string id = section_id(index);
  file_.write(
      fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-name\">\n<h2 id=\"{0}-name\">{1} "
                  "<small>{2}</small></h2>\n<p class=\"matching faint\" hidden></p>\n<ul>\n",
                  id, isolated(section.label), section_count(section)));
}

void HtmlPage::end_section() {
  file_.write("</ul>\n</section>\n");
}

void HtmlPage::begin_sections_before(size_t end) {
  for (; begun_ < end; ++begun_) {
    if (begun_ > 0) end_section();
    begin_section(begun_);
  }
}

void HtmlPage::add(const PagePicture& picture) {
  const Prediction& prediction = picture.prediction;
  const Scored& answer = prediction.answer();
  assert(answer.label < head_.sections.size() && answer.label + 1 >= begun_);
  begin_sections_before(answer.label + 1);

  const auto label = [this](const Scored& of) { return head_.sections[of.label].label; };
  const std::string name = fs::path(picture.path).filename().string();
  const bool by_image = *prediction.winner == Source::Image;
  std::string card = fmt::format("<li data-score=\"{}\" data-by=\"{}\">\n", answer.score,
                                 source_name(*prediction.winner));
  card += frame(picture, html(name + ", labelled " + label(answer)));
  card +=
      fmt::format("<p class=\"name\" title=\"{}\">{}</p>\n", html(picture.path), isolated(name));
  card += fmt::format("<p class=\"answer\">{} <b>{:.3f}</b> <small>by {}</small></p>\n<dl>\n",
                      isolated(label(answer)), answer.score, by_image ? "the picture" : "its text");
  card += side("Picture", label(prediction.image), prediction.image.score, by_image);
  card += prediction.text ? side("Text", label(*prediction.text), prediction.text->score, !by_image)
                          : "<div><dt>Text</dt><dd>none was read</dd></div>\n";
  if (!picture.veto.empty())
    card += "<div><dt>Veto</dt><dd>" + isolated(picture.veto) + "</dd></div>\n";
  file_.write(card + "</dl>\n" + read_text(picture.text) + "</li>\n");
}

void HtmlPage::finish() {
  begin_sections_before(head_.sections.size());
  if (begun_ > 0) end_section();
  file_.write(fmt::format("</main>\n<script>{}</script>\n</body>\n</html>\n", kPageScript));
  file_.publish();
}

}  // namespace zeroshelf
