// Texts, pictures and vectors -> the pictures that fit them. Tested by tests/serve.

#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/labelling/run.h"
#include "lib/labelling/told_apart.h"
#include "lib/lexicon/lexical_match.h"
#include "lib/report/hit_groups.h"
#include "lib/report/messages.h"
#include "lib/search/findable_rows.h"
#include "lib/search/gathered_hits.h"
#include "lib/search/search.h"
#include "lib/search/search_cut.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "query/serve/answers.h"
#include "query/serve/asked.h"
#include "query/serve/chorus.h"
#include "query/serve/service.h"

namespace zeroshelf::serve {
namespace {

using Clock = std::chrono::steady_clock;

// Rows of pictures become the view's; those of another process's pictures none that it has.
std::vector<SearchTerm> terms_of(const Snapshot& snapshot, AskedSearch& asked) {
  std::vector<SearchTerm> terms;
  for (AskedTerm& term : asked.terms) {
    if (term.term.kind == SearchTerm::Kind::RowOfCollection) {
      const bool has_row = term.term.row != UINT64_MAX;
      term.term.row =
          own_row(snapshot, has_row ? std::optional(term.term.row) : std::nullopt, term.content)
              .value_or(UINT64_MAX);
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

// The rows of each filter by label, one a row.
std::vector<std::vector<bool>> labelled_rows(Service& service, const Call& call,
                                             const AskedSearch& asked, const GoOn& go_on) {
  const View& view = call.snapshot->view;
  std::vector<std::vector<bool>> rows;
  if (!asked.run.empty()) {
    rows.push_back(in_all(*call.snapshot, [&] {
      const Run run = load_run(view, asked.run);
      find_labels("filters.label", asked.labels, run.labels);
      return rows_with_label(view, run, asked.labels);
    }));
  }
  if (asked.labelling) {
    const auto shelves = service.labeller().shelves(call.snapshot, *asked.labelling, go_on);
    rows.push_back(in_all(*call.snapshot, [&] { return rows_of_shelves(*shelves, asked); }));
  }
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

std::string hit_json(const HitFacts& facts, const HitGroup& group, size_t rank,
                     const LexicalQuery& lexical, SearchSpace space, const KeptTruth& truth) {
  const PictureRecord record = facts.record(group.hit.row);
  std::string out = "{";
  JsonWriter json(out);
  const std::vector<Word> words = facts.words(group.hit.row);
  const std::vector<MatchedWord> matches = matched_words(lexical, words);
  message::Hit hit = hit_message(facts, group, record.file.path, words, matches, space);
  hit.rank = rank;
  write_members(json, hit);
  std::vector<Row> similar;
  for (const Row row : group.similar) similar.push_back(facts.row_of_all(row));
  json.member("row", facts.row_of_all(group.hit.row))
      .member("sha256", to_hex(record.content_hash))
      .member("width", record.width_px)
      .member("height", record.height_px)
      .member("truth", label_of(truth, record.content_hash))
      .member("similar_rows", similar);
  out += '}';
  return out;
}

}  // namespace

HttpResponse post_search(Service& service, const Call& call) {
  const auto start = Clock::now();
  const Snapshot& snapshot = *call.snapshot;
  const View& view = snapshot.view;
  AskedSearch asked = in_all(snapshot, [&] { return ask_search(call.request.body); });
  const GoOn go_on = go_on_of(service, call, asked.client, "search ");
  const std::vector<SearchTerm> terms = terms_of(snapshot, asked);
  const MadeQuery made = make_query(view, terms, asked.space, service.encoder());
  const LexicalQuery& lexical = made.query.lexical;
  in_all(snapshot, [&] {
    if (asked.space == SearchSpace::Picture && !lexical.phrases.empty())
      throw Error(ErrorCode::InvalidArgument, "in", "a phrase in quotes is looked for in the text",
                  "search in text or both");
    return true;
  });
  const auto labelled = labelled_rows(service, call, asked, go_on);
  const std::vector<bool> allowed =
      in_all(snapshot, [&] { return findable_rows(view, asked.filter, made, labelled); });
  SearchLimits limits;
  limits.space = asked.space;
  limits.keep = [&](Row row) { return allowed[row]; };
  if (asked.exact) limits.reach = SearchReach::EveryRow;
  limits.count = asked.group ? asked.count * 4 + 64 : asked.count;
  const bool judged = lexical.phrases.empty() && made.background.rows() > 0;
  limits.weak = asked.all;
  GatheredHits found;
  {
    const Gate::Pass pass(service.gate, go_on);
    go_on();
    if (judged) limits.fits = Fit(view, made.query, made.background, asked.space);
    found = gathered_hits(view, search(view, made.query, limits), asked.space, limits.count,
                          {.words = true, .vectors = asked.group, .records = true});
  }
  go_on();
  const uint64_t candidates =
      sum_of_all(snapshot, static_cast<uint64_t>(std::ranges::count(allowed, true)));
  const auto truth = in_all(snapshot, [&] { return service.truths.all(); });
  if (is_silent(snapshot)) return {};
  const std::vector<HitGroup> groups =
      asked.group ? group_hits(*found.facts, view.manifest().dimension, found.hits, asked.count)
                  : single_hits(found.hits);
  std::vector<std::string> hits;
  for (const HitGroup& group : groups)
    hits.push_back(hit_json(*found.facts, group, hits.size() + 1, lexical, asked.space, *truth));
  return json_response(json_object([&](JsonWriter& out) {
    out.member("hits", raw(hits))
        .member("cut", judged && !asked.all)
        .member("candidates", candidates)
        .member("generation", snapshot.generation)
        .member("seconds", Decimal{std::chrono::duration<double>(Clock::now() - start).count(), 6})
        .member("warnings", warnings_of(service, terms));
  }));
}

}  // namespace zeroshelf::serve
