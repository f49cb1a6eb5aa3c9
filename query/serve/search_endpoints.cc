// Texts, pictures and vectors -> the pictures that fit them. Tested by tests/serve.

#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/lexicon/letters.h"
#include "lib/labelling/run.h"
#include "lib/labelling/told_apart.h"
#include "lib/report/messages.h"
#include "lib/search/findable_rows.h"
#include "lib/search/search.h"
#include "lib/search/search_cut.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/report/hit_groups.h"
#include "query/serve/answers.h"
#include "query/serve/asked.h"
#include "query/serve/service.h"

namespace zeroshelf::serve {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<SearchTerm> terms_of(const View& view, AskedSearch& asked) {
  std::vector<SearchTerm> terms;
  for (AskedTerm& term : asked.terms) {
    if (term.term.kind == SearchTerm::Kind::RowOfCollection) {
      const bool has_row = term.term.row != UINT64_MAX;
      term.term.row = row_of(view, has_row ? std::optional(term.term.row) : std::nullopt, term.content);
    }
    terms.push_back(std::move(term.term));
  }
  return terms;
}

std::vector<bool> rows_of_shelves(const Shelves& shelves, const AskedSearch& asked) {
  std::vector<bool> rows(shelves.view().rows());
  for (const uint32_t label :
       find_labels("filters.label", asked.labels, shelves.labelling().labels)) {
    for (const Row row :
         *shelves.shelf(label, asked.labelling->request.threshold, ShelfOrder::Score))
      rows[row] = true;
  }
  return rows;
}

// Of each filter by label its rows, one a row.
std::vector<std::vector<bool>> labelled_rows(Service& service, const Call& call,
                                             const AskedSearch& asked, const GoOn& go_on) {
  const View& view = call.snapshot->view;
  std::vector<std::vector<bool>> rows;
  if (!asked.run.empty()) {
    const Run run = load_run(view, asked.run);
    find_labels("filters.label", asked.labels, run.labels);
    rows.push_back(rows_with_label(view, run, asked.labels));
  }
  if (asked.labelling)
    rows.push_back(rows_of_shelves(
        *service.labeller().shelves(call.snapshot, *asked.labelling, go_on), asked));
  return rows;
}

// What of a search's texts the model does not read.
std::vector<std::string> warnings_of(Service& service, const std::vector<SearchTerm>& terms) {
  const Encoder* encoder = service.encoder().loaded();
  if (encoder == nullptr) return {};
  std::vector<std::string> texts;
  for (const SearchTerm& term : terms) {
    if (term.kind == SearchTerm::Kind::Text) texts.push_back(term.value);
  }
  return cut_text_warnings(*encoder, texts);
}

std::string hit_json(const View& view, const HitGroup& group, size_t rank,
                     const LexicalQuery& lexical, SearchSpace space, const KeptTruth& truth) {
  const PictureRecord record = view.record(group.hit.row);
  std::string out = "{";
  JsonWriter json(out);
  const std::vector<Word> words = view.words(group.hit.row);
  const std::vector<MatchedWord> matches = matched_words(lexical, words);
  message::Hit hit = hit_message(view, group, record.file.path, words, matches, space);
  hit.rank = rank;
  write_members(json, hit);
  json.member("row", group.hit.row)
      .member("sha256", to_hex(record.content_hash))
      .member("width", record.width_px)
      .member("height", record.height_px)
      .member("truth", label_of(truth, record.content_hash))
      .member("similar_rows", group.similar);
  out += '}';
  return out;
}

}  // namespace

HttpResponse post_search(Service& service, const Call& call) {
  const auto start = Clock::now();
  AskedSearch asked = ask_search(call.request.body);
  const GoOn go_on = go_on_of(service, call, asked.client, "search ");
  const View& view = call.snapshot->view;
  const std::vector<SearchTerm> terms = terms_of(view, asked);
  const MadeQuery made = make_query(view, terms, asked.space, service.encoder());
  const LexicalQuery& lexical = made.query.lexical;
  if (asked.space == SearchSpace::Picture && !lexical.phrases.empty())
    throw Error(ErrorCode::InvalidArgument, "in", "a phrase in quotes is looked for in the text",
                "search in text or both");
  const std::vector<bool> allowed =
      findable_rows(view, asked.filter, made, labelled_rows(service, call, asked, go_on));
  SearchLimits limits;
  limits.space = asked.space;
  limits.keep = [&](Row row) { return allowed[row]; };
  if (asked.exact) limits.reach = SearchReach::EveryRow;
  limits.count = asked.group ? asked.count * 4 + 64 : asked.count;
  const bool cut = !asked.all && lexical.phrases.empty() && made.background.rows() > 0;
  std::vector<HitGroup> groups;
  {
    const Gate::Pass pass(service.gate, go_on);
    go_on();
    if (cut) limits.fits = Fit(view, made.query, made.background, asked.space);
    const std::vector<SearchHit> hits = search(view, made.query, limits);
    groups = asked.group ? group_hits(view, hits, asked.count) : single_hits(hits);
  }
  go_on();
  const auto truth = service.truths.all();
  std::vector<std::string> hits;
  for (const HitGroup& group : groups)
    hits.push_back(hit_json(view, group, hits.size() + 1, lexical, asked.space, *truth));
  const auto candidates = static_cast<uint64_t>(std::ranges::count(allowed, true));
  return json_response(json_object([&](JsonWriter& out) {
    out.member("hits", raw(hits))
        .member("cut", cut)
        .member("candidates", candidates)
        .member("generation", call.snapshot->generation)
        .member("seconds",
                Decimal{std::chrono::duration<double>(Clock::now() - start).count(), 6})
        .member("warnings", warnings_of(service, terms));
  }));
}

}  // namespace zeroshelf::serve
