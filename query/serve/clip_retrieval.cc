// The interface of clip-retrieval (https://github.com/rom1504/clip-retrieval), for its clients: a
// vector search by cosine, and what is known of rows. Their bodies are JSON, whatever their content
// type says. Tested by tests/serve.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "lib/search/search.h"
#include "lib/search/search_terms.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/json_object.h"
#include "lib/util/text.h"
#include "lib/report/hit_groups.h"
#include "query/serve/answers.h"
#include "query/serve/asked.h"
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
void tell_metadata(JsonWriter& json, const View& view, Row row, const HttpHead& head) {
  const PictureRecord record = view.record(row);
  json.member("image_path", to_utf8(record.file.path))
      .member("caption", joined_text(view.words(row)))
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

HttpResponse post_knn(Service& service, const Call& call) {
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  const View& view = call.snapshot->view;
  expect_index(view, members.text("indice_name", 1000));
  const bool in_text = members.choice("modality", false, {{"image", false}, {"text", true}});
  const uint64_t told = std::min<uint64_t>(count_of(members, "num_images", 100), 10'000);
  const uint64_t count =
      std::min<uint64_t>(count_of(members, "num_result_ids", told), 10'000);
  const bool deduplicates = members.flag("deduplicate").value_or(true);
  const auto term = term_of(members);
  if (!term)
    members.refuse("", "nothing to search for", "give text, image or embedding_input");
  const SearchSpace space = in_text ? SearchSpace::Text : SearchSpace::Picture;
  SearchLimits limits;
  limits.space = space;
  limits.count = std::max<uint64_t>(std::max(count, told), 1) * (deduplicates ? 2 : 1);
  std::vector<HitGroup> groups;
  {
    const MadeQuery made = make_query(view, {*term}, space, service.encoder());
    const Gate::Pass pass(service.gate, call.go_on);
    SearchQuery query = made.query;
    query.lexical = {};
    const std::vector<SearchHit> hits = search(view, query, limits);
    groups = deduplicates ? group_hits(view, hits, count) : single_hits(hits);
  }
  if (groups.size() > count) groups.resize(count);
  std::vector<std::string> results;
  for (const HitGroup& group : groups) {
    const SearchHit& hit = group.hit;
    results.push_back(json_object([&](JsonWriter& out) {
      if (results.size() < told) tell_metadata(out, view, hit.row, call.request);
      out.member("id", hit.row)
          .member("similarity", in_text ? hit.text_score.value_or(0) : hit.image_score);
    }));
  }
  return json_response(fmt::format("[{}]", fmt::join(results, ",")));
}

HttpResponse get_indices(Service&, const Call& call) {
  std::string body;
  JsonWriter(body).write(std::vector<std::string>{index_name(call.snapshot->view)});
  return json_response(body);
}

HttpResponse post_metadata(Service&, const Call& call) {
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  const View& view = call.snapshot->view;
  expect_index(view, members.text("indice_name", 1000));
  std::vector<std::string> results;
  for (const auto& [value, where] : members.list("ids", 10'000)) {
    const auto id = json_as<uint64_t>(*value);
    if (!id) members.refuse("ids", fmt::format("{} is no row", where));
    const Row row = row_of(view, *id, std::nullopt);
    const std::string metadata =
        json_object([&](JsonWriter& out) { tell_metadata(out, view, row, call.request); });
    results.push_back(json_object(
        [&](JsonWriter& out) { out.member("id", row).member("metadata", RawJson{metadata}); }));
  }
  return json_response(fmt::format("[{}]", fmt::join(results, ",")));
}

}  // namespace zeroshelf::serve
