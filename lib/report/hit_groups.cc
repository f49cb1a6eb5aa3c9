// Tested by tests/report/hit_groups_test.cc.

#include "lib/report/hit_groups.h"

#include <algorithm>
#include <system_error>

#include "lib/util/matrix.h"
#include "lib/util/words.h"

namespace zeroshelf {

std::vector<HitGroup> single_hits(const std::vector<SearchHit>& hits) {
  std::vector<HitGroup> groups;
  for (const SearchHit& hit : hits) groups.push_back({hit, {}});
  return groups;
}

std::vector<HitGroup> group_hits(const HitFacts& facts, uint32_t dimension,
                                 const std::vector<SearchHit>& hits, size_t count) {
  constexpr float kNearlySame = 0.98f;
  std::vector<HitGroup> groups;
  Matrix leader(1, dimension);
  for (const SearchHit& hit : hits) {
    facts.read_vector(hit.row, leader.row(0));
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const HitGroup& group) {
      return facts.inner_product(group.hit.row, leader) >= kNearlySame;
    });
    if (same != groups.end()) {
      same->similar.push_back(hit.row);
    } else if (groups.size() < count) {
      groups.push_back({hit, {}});
    }
  }
  return groups;
}

std::string_view found_by(const SearchHit& hit, SearchSpace space) {
  if (space == SearchSpace::Picture) return "picture";
  if (hit.lexical_nats > 0 && hit.lexical_nats >= hit.text_nats &&
      (space == SearchSpace::Text || hit.lexical_nats >= hit.image_nats)) {
    return "letters";
  }
  return space == SearchSpace::Text || hit.text_nats > hit.image_nats ? "text" : "picture";
}

bool is_gone(const std::string& path) {
  std::error_code ignored;
  return !std::filesystem::exists(path, ignored);
}

message::Hit hit_message(const HitFacts& facts, const HitGroup& group, const std::string& path,
                         const std::vector<Word>& words, const std::vector<MatchedWord>& matches,
                         SearchSpace space) {
  const SearchHit& found = group.hit;
  message::Hit hit;
  hit.path = path;
  hit.is_gone = is_gone(path);
  hit.fits = found.fits;
  hit.score = found.score;
  hit.found_by = found_by(found, space);
  hit.image_score = found.image_score;
  hit.text_score = found.text_score;
  hit.image_nats = found.image_nats;
  hit.text_nats = found.text_nats;
  hit.lexical_nats = found.lexical_nats;
  for (const MatchedWord& match : matches) {
    const Word& word = words[match.word];
    hit.words.push_back({word.text, match.query_word, match.edits, word.box});
  }
  for (const Row row : group.similar) hit.similar.push_back(facts.path(row));
  hit.ocr_text = joined_text(words);
  return hit;
}

}  // namespace zeroshelf
