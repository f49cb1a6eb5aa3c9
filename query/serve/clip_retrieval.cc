// The interface of clip-retrieval (https://github.com/rom1504/clip-retrieval), for its clients: a
// vector search by cosine, and what is known of rows. Their bodies are JSON, whatever their content
// type says. Tested by tests/serve.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "lib/report/hit_groups.h"
#include "lib/search/gathered_hits.h"
#include "lib/search/search.h"
#include "lib/search/search_terms.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/json_object.h"
#include "lib/util/text.h"
#include "query/serve/answers.h"
#include "query/serve/asked.h"
#include "query/serve/chorus.h"
#include "query/serve/service.h"

namespace zeroshelf::serve {
namespace {

std::string index_name(const View& view) {
  return folder_name(view.directory());
}

void expect_index(const View& view, const std::optional<std::string>& name) {
  if (name && !name->empty() && *name != index_name(view))
    throw Error(ErrorCode::NotFound, "indice_name", fmt::format("there is no index '{}'", *name),
                fmt::format("leave it out, or say '{}'", index_name(view)));
}

// What a result's members are, besides id and similarity.
void tell_metadata(JsonWriter& json, const PictureRecord& record, const std::vector<Word>& words,
                   Row row, const HttpHead& head) {
  json.member("image_path", to_utf8(record.file.path))
      .member("caption", joined_text(words))
      .member("url", fmt::format("http://{}/v1/pictures/{}/thumbnail?size=640&sha256={}",
                                 to_utf8(head.host), row, to_hex(record.content_hash)))
      .member("width", record.width_px)
      .member("height", record.height_px);
}

// A number, also where a client sends it as a text.
uint64_t count_of(Members& members, const char* name, uint64_t default_value) {
  const nlohmann::json* value = members.find(name);
  if (value != nullptr && value->is_string()) {
    const std::string text = value->get<std::string>();
    if (!text.empty() && text.size() < 10 &&
        text.find_first_not_of("0123456789") == std::string::npos)
      return std::stoull(text);
  }
  return members.whole(name, 0, 1'000'000).value_or(default_value);
}

std::optional<SearchTerm> term_of(Members& members) {
  using Kind = SearchTerm::Kind;
  if (const auto url = members.text("image_url", SIZE_MAX); url && !url->empty())
    members.refuse("image_url", "the server fetches nothing",
                   "send the picture itself as image, in base64");
  if (const auto text = members.text("text", 64 << 10); text && !trimmed(*text).empty()) {
    std::string plain = *text;
    std::erase(plain, '"');
    return SearchTerm{Kind::Text, plain, 1};
  }
  if (const auto image = members.text("image", SIZE_MAX); image && !image->empty()) {
    auto bytes = from_base64(*image);
    if (!bytes) members.refuse("image", "it is no base64");
    return SearchTerm{Kind::PictureBytes, *std::move(bytes), 1};
  }
  if (members.find("embedding_input") == nullptr) return std::nullopt;
  SearchTerm term{Kind::Values, "", 1};
  term.values = ask_vector(members, "embedding_input");
  return term;
}

}  // namespace

namespace {

struct AskedKnn {
  SearchTerm term;
  bool in_text = false;
  uint64_t told = 0;   // results with what is known of them
  uint64_t count = 0;  // of results
  bool deduplicates = true;

  SearchSpace space() const { return in_text ? SearchSpace::Text : SearchSpace::Picture; }
};

AskedKnn ask_knn(const View& view, const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  AskedKnn asked;
  expect_index(view, members.text("indice_name", 1000));
  asked.in_text = members.choice("modality", false, {{"image", false}, {"text", true}});
  asked.told = std::min<uint64_t>(count_of(members, "num_images", 100), 10'000);
  asked.count = std::min<uint64_t>(count_of(members, "num_result_ids", asked.told), 10'000);
  asked.deduplicates = members.flag("deduplicate").value_or(true);
  auto term = term_of(members);
  if (!term) members.refuse("", "nothing to search for", "give text, image or embedding_input");
  asked.term = *std::move(term);
  return asked;
}

}  // namespace

HttpResponse post_knn(Service& service, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  const View& view = snapshot.view;
  const AskedKnn asked = in_all(snapshot, [&] { return ask_knn(view, call.request.body); });
  SearchLimits limits;
  limits.space = asked.space();
  limits.count =
      std::max<uint64_t>(std::max(asked.count, asked.told), 1) * (asked.deduplicates ? 2 : 1);
  const MadeQuery made = make_query(view, {asked.term}, limits.space, service.encoder());
  GatheredHits found;
  {
    const Gate::Pass pass(service.gate, call.go_on);
    SearchQuery query = made.query;
    query.lexical = {};
    found = gathered_hits(view, search(view, query, limits), limits.space, limits.count,
                          {.words = true, .vectors = asked.deduplicates, .records = true});
  }
  if (is_silent(snapshot)) return {};
  std::vector<HitGroup> groups =
      asked.deduplicates
          ? group_hits(*found.facts, view.manifest().dimension, found.hits, asked.count)
          : single_hits(found.hits);
  if (groups.size() > asked.count) groups.resize(asked.count);
  std::vector<std::string> results;
  for (const HitGroup& group : groups) {
    const SearchHit& hit = group.hit;
    const HitFacts& facts = *found.facts;
    const Row row = facts.row_of_all(hit.row);
    results.push_back(json_object([&](JsonWriter& out) {
      if (results.size() < asked.told)
        tell_metadata(out, facts.record(hit.row), facts.words(hit.row), row, call.request);
      out.member("id", row).member("similarity",
                                   asked.in_text ? hit.text_score.value_or(0) : hit.image_score);
    }));
  }
  return json_response(fmt::format("[{}]", fmt::join(results, ",")));
}

HttpResponse get_indices(Service&, const Call& call) {
  std::string body;
  JsonWriter(body).write(std::vector<std::string>{index_name(call.snapshot->view)});
  return json_response(body);
}

namespace {

std::vector<Row> ask_rows(const Snapshot& snapshot, const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  expect_index(snapshot.view, members.text("indice_name", 1000));
  members.needed("ids", R"(e.g. "ids": [12])");
  std::vector<Row> rows;
  for (const auto& [value, where] : members.list("ids", 10'000)) {
    const auto id = json_as<uint64_t>(*value);
    if (!id) members.refuse("ids", fmt::format("{} is no row", where));
    if (*id >= snapshot.rows) throw no_such_picture(*id, {});
    rows.push_back(*id);
  }
  return rows;
}

}  // namespace

HttpResponse post_metadata(Service&, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  const View& view = snapshot.view;
  const std::vector<Row> rows =
      in_all(snapshot, [&] { return ask_rows(snapshot, call.request.body); });
  // Nothing of a row without a picture.
  const std::vector<std::string> told = told_of_rows(snapshot, rows, [&](std::span<const Row> own) {
    std::vector<std::string> of_own;
    for (const Row row : own) {
      const Row of_all = snapshot.first_row + row;
      of_own.push_back(!view.is_live(row) ? "" : json_object([&](JsonWriter& out) {
        tell_metadata(out, view.record(row), view.words(row), of_all, call.request);
      }));
    }
    return of_own;
  });
  in_all(snapshot, [&] {
    for (size_t i = 0; i < told.size(); ++i) {
      if (told[i].empty()) throw no_such_picture(rows[i], {});
    }
    return true;
  });
  if (is_silent(snapshot)) return {};
  std::vector<std::string> results;
  for (size_t i = 0; i < told.size(); ++i) {
    results.push_back(json_object(
        [&](JsonWriter& out) { out.member("id", rows[i]).member("metadata", RawJson{told[i]}); }));
  }
  return json_response(fmt::format("[{}]", fmt::join(results, ",")));
}

}  // namespace zeroshelf::serve
