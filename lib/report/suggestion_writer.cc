// Tested by tests/report/suggestion_writer_test.cc.

#include "lib/report/suggestion_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "lib/report/formats.h"
#include "lib/report/json.h"
#include "lib/report/terminal_table.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

// One line of a label file holds a name and prompts: what would part them becomes a blank.
std::string as_label_text(std::string_view text) {
  std::string line = printable(text);
  for (char& c : line) {
    if (c == ':' || c == '|') c = ' ';
  }
  const std::string_view rest = trimmed(line);
  return std::string(rest.substr(std::min(rest.size(), rest.find_first_not_of('#'))));
}

std::vector<std::string> paths_of(const View& collection, const std::vector<Row>& rows) {
  std::vector<std::string> paths;
  for (const Row row : rows) paths.push_back(collection.record(row).file.path);
  return paths;
}

// ["...", ...]: what is no UTF-8 in them is replaced.
std::string json_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    if (list.size() > 1) list += ',';
    append_json_string(list, text);
  }
  return list + "]";
}

// "meow (50 %), purr (30 %)"
std::string with_shares(const std::vector<SharedWord>& words) {
  std::string text;
  for (const SharedWord& one : words)
    text += fmt::format("{}{} ({:.0f} %)", text.empty() ? "" : ", ", one.word, 100 * one.share);
  return text;
}

// [{"word":"meow","share":0.5}]
std::string shares_json(const std::vector<SharedWord>& words, const char* kind) {
  std::string list = "[";
  for (const SharedWord& one : words) {
    list += (list.size() > 1 ? "," : "") + std::string("{");
    JsonWriter(list).member(kind, one.word).member("share", Rounded{one.share});
    list += '}';
  }
  return list + ']';
}

}  // namespace

std::string name_of_group(const Suggestion& suggestion, size_t group) {
  const std::string& name = suggestion.groups[group].name;
  return name.empty() ? fmt::format("group {}", group + 1) : name;
}

double SuggestionWriter::share_of(uint64_t pictures) const {
  return static_cast<double>(pictures) /
         static_cast<double>(std::max<uint64_t>(1, suggestion_.pictures));
}

std::string SuggestionWriter::also(const SuggestedGroup& group) const {
  std::string names;
  for (const uint32_t name : group.also)
    names += (names.empty() ? "" : "; ") + vocabulary_.names[name].name;
  return names;
}

std::string SuggestionWriter::table(int columns) const {
  std::string text = fmt::format("{} {:>12} {:>9}  {} {}\n", table_cell("LABEL", 24), "PICTURES",
                                 "SHARE", table_cell("ALSO", 28), "WORDS");
  const auto add = [&](const std::string& name, uint64_t pictures, const std::string& others,
                       const std::string& words) {
    text += fmt::format("{} {:>12} {:7.2f} %  {} {}\n", table_cell(name, 24),
                        with_thousands(pictures), 100 * share_of(pictures), table_cell(others, 28),
                        printable(words));
  };
  for (size_t i = 0; i < suggestion_.groups.size(); ++i) {
    const SuggestedGroup& group = suggestion_.groups[i];
    std::string said = with_shares(group.words);
    if (!group.keywords.empty())
      said += (said.empty() ? "" : "; ") + ("keywords: " + with_shares(group.keywords));
    add(name_of_group(suggestion_, i), group.pictures, also(group), said);
  }
  if (suggestion_.alone > 0) add("-", suggestion_.alone, "in no group", "");
  for (const SuggestedOverlap& overlap : suggestion_.overlaps) {
    text += fmt::format("overlap: {} and {}, {:.0f} % of the smaller\n",
                        printable(name_of_group(suggestion_, overlap.first)),
                        printable(name_of_group(suggestion_, overlap.second)), 100 * overlap.share);
  }
  const auto examples = [&](const std::string& of, const std::vector<Row>& rows) {
    if (rows.empty()) return;
    text += fmt::format("\ntypical of {}:\n", printable(of));
    for (size_t i = 0; i < std::min<size_t>(3, rows.size()); ++i)
      text += line_with_path("  ", collection_.record(rows[i]).file.path, "", columns);
  };
  for (size_t i = 0; i < suggestion_.groups.size(); ++i) {
    if (suggestion_.groups[i].name.empty())
      examples(name_of_group(suggestion_, i) + ", which nothing in the vocabulary names",
               suggestion_.groups[i].typical);
  }
  if (suggestion_.alone > 0) examples("those in no group", suggestion_.alone_rows);
  return text;
}

std::string SuggestionWriter::json() const {
  std::string text;
  for (const SuggestedGroup& group : suggestion_.groups) {
    std::vector<std::string> others;
    for (const uint32_t name : group.also) others.push_back(vocabulary_.names[name].name);
    const std::string words = shares_json(group.words, "word");
    const std::string keywords = shares_json(group.keywords, "keyword");
    const std::string others_json = json_list(others);
    const std::string examples = json_list(paths_of(collection_, group.typical));
    text += '{';
    JsonWriter(text)
        .member("type", "group")
        .member("label", group.name.empty() ? std::optional<std::string>() : group.name)
        .member("pictures", group.pictures)
        .member("share", Rounded{share_of(group.pictures)})
        .member("also", RawJson{others_json})
        .member("words", RawJson{words})
        .member("keywords", RawJson{keywords})
        .member("examples", RawJson{examples});
    text += "}\n";
  }
  for (const SuggestedOverlap& overlap : suggestion_.overlaps) {
    text += '{';
    JsonWriter(text)
        .member("type", "overlap")
        .member("first", name_of_group(suggestion_, overlap.first))
        .member("second", name_of_group(suggestion_, overlap.second))
        .member("share", Rounded{overlap.share});
    text += "}\n";
  }
  const std::string alone = json_list(paths_of(collection_, suggestion_.alone_rows));
  text += '{';
  JsonWriter(text)
      .member("type", "alone")
      .member("pictures", suggestion_.alone)
      .member("share", Rounded{share_of(suggestion_.alone)})
      .member("examples", RawJson{alone});
  text += "}\n{";
  JsonWriter(text)
      .member("type", "summary")
      .member("pictures", suggestion_.pictures)
      .member("groups", suggestion_.groups.size());
  return text + "}\n";
}

std::string SuggestionWriter::csv() const {
  std::string text = "label,pictures,share,also,words,keywords\r\n";
  for (const SuggestedGroup& group : suggestion_.groups) {
    append_csv_cell(text, group.name);
    text += fmt::format(",{},{:.6g}", group.pictures, share_of(group.pictures));
    for (const std::string& cell :
         {also(group), with_shares(group.words), with_shares(group.keywords)}) {
      text += ',';
      append_csv_cell(text, cell);
    }
    text += "\r\n";
  }
  return text;
}

std::string SuggestionWriter::label_line(const SuggestedGroup& group) const {
  std::string line = as_label_text(group.name);
  if (!group.from) return line;
  const std::vector<std::string>& prompts = vocabulary_.names[*group.from].prompts;
  if (prompts.size() == 1 && prompts.front() == group.name && line == group.name) return line;
  std::string all;
  for (const std::string& prompt : prompts) {
    const std::string text = as_label_text(prompt);
    if (!text.empty()) all += (all.empty() ? ": " : " | ") + text;
  }
  return line + all;
}

std::string SuggestionWriter::label_file() const {
  std::string text = fmt::format(
      "# Labels for {} pictures, as zeroshelf-query suggest found them. Edit them: take out, rename, "
      "add.\n",
      with_thousands(suggestion_.pictures));
  const auto about = [&](const SuggestedGroup& group) {
    std::string line =
        fmt::format("# {} pictures, {:.1f} %", with_thousands(group.pictures),
                    100 * share_of(group.pictures));
    if (const std::string others = also(group); !others.empty()) line += "; also: " + others;
    if (!group.words.empty()) line += "; words: " + with_shares(group.words);
    if (!group.keywords.empty()) line += "; keywords: " + with_shares(group.keywords);
    return printable(line) + "\n";
  };
  const auto example = [&](const std::vector<Row>& rows) {
    return rows.empty() ? std::string()
                        : "# e.g. " + printable(collection_.record(rows.front()).file.path) + "\n";
  };
  for (const SuggestedGroup& group : suggestion_.groups) {
    text += "\n" + about(group);
    const std::string line = label_line(group);
    if (line.empty()) {
      text += "# (without a name: nothing in the vocabulary fits)\n" + example(group.typical);
    } else {
      text += line + "\n";
    }
  }
  text += "\n";
  for (const SuggestedOverlap& overlap : suggestion_.overlaps) {
    text += printable(fmt::format("# overlap: {} and {}, {:.0f} % of the smaller",
                                  name_of_group(suggestion_, overlap.first),
                                  name_of_group(suggestion_, overlap.second), 100 * overlap.share)) +
            "\n";
  }
  if (suggestion_.alone > 0)
    text += fmt::format("# in no group: {} pictures\n", with_thousands(suggestion_.alone)) +
            example(suggestion_.alone_rows);
  return text;
}

}  // namespace zeroshelf
