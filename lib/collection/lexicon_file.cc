// The collection's lexicon: a part of the snapshot, and the rows after it from the records. Tested
// by tests/collection/lexicon_test.cc.

#include "lib/collection/state.h"
#include "lib/files/new_file.h"
#include "lib/lexicon/tokens.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

fs::path lexicon_path(const fs::path& directory, const layout::Current& current,
                      uint64_t generation) {
  return layout::snapshot_file(directory, "lexicon", current.epoch, generation);
}

// Calls visit with the words of each row from `first` on that has some.
void for_each_text(const Store& store, Row first,
                   const std::function<void(Row, const std::vector<Word>&)>& visit) {
  store.for_each(codec::kWordsPrefix, codec::row_key(codec::kWordsPrefix, first),
                 [&](std::string_view key, std::string_view value) {
                   const std::vector<Word> words = codec::decode_words(value);
                   if (!words.empty()) visit(codec::row_of_key(key), words);
                   return true;
                 });
}

std::string built_lexicon(const Store& store, Row first, const LexiconOrigin& origin) {
  LexiconBuilder builder;
  for_each_text(store, first, [&](Row row, const std::vector<Word>& words) {
    if (row < origin.rows) builder.add(row, words);
  });
  return std::move(builder).finish(origin);
}

// The snapshot's, if it is there and whole enough to be used.
std::optional<Lexicon> snapshot_lexicon(const Collection::State& state) {
  if (!state.current.snapshot_generation) return std::nullopt;
  const uint64_t generation = *state.current.snapshot_generation;
  try {
    Lexicon lexicon = Lexicon::map(lexicon_path(state.directory, state.current, generation));
    const LexiconOrigin& origin = lexicon.origin();
    if (origin.epoch == state.current.epoch && origin.generation == generation &&
        origin.rows <= state.counts.next_row) {
      return lexicon;
    }
  } catch (const Error&) {
    // Derived, whatever is in its place: the truth has it all.
  }
  return std::nullopt;
}

}  // namespace

void write_lexicon(const fs::path& directory, const layout::Current& current, const Store& store,
                   Row rows, uint64_t generation) {
  write_file_atomically(lexicon_path(directory, current, generation),
                        built_lexicon(store, 0, {current.epoch, generation, rows}));
}

std::vector<Lexicon> open_lexicon(const Collection::State& state) {
  std::vector<Lexicon> parts;
  if (auto lexicon = snapshot_lexicon(state)) parts.push_back(*std::move(lexicon));
  const Row first = parts.empty() ? 0 : parts[0].origin().rows;
  if (first < state.counts.next_row) {
    parts.push_back(Lexicon::of_bytes(
        built_lexicon(*state.store, first,
                      {state.current.epoch, state.counts.generation, state.counts.next_row})));
  }
  return parts;
}

std::vector<Fault> lexicon_faults(const fs::path& directory, const layout::Current& current,
                                  const Store& store) {
  if (!current.snapshot_generation) return {};
  const fs::path path = lexicon_path(directory, current, *current.snapshot_generation);
  std::vector<Fault> faults;
  try {
    const Lexicon lexicon = Lexicon::map(path);
    lexicon.check();
    if (lexicon.origin().epoch != current.epoch ||
        lexicon.origin().generation != *current.snapshot_generation) {
      faults.push_back({path.string(), "belongs to another snapshot"});
      return faults;
    }
    // Every live text must be in it; removed ones may be.
    uint32_t text = 0;
    for_each_text(store, 0, [&](Row row, const std::vector<Word>& words) {
      if (row >= lexicon.origin().rows) return;
      while (text < lexicon.texts() && lexicon.owner(text) < row) ++text;
      size_t length = 0;
      for (const Word& word : words) length += terms_of(word.text).size();
      if (text == lexicon.texts() || lexicon.owner(text) != row || lexicon.length(text) != length)
        faults.push_back({path.string(), "lacks the words of row " + std::to_string(row)});
    });
  } catch (const Error& error) {
    // A collection of a version before the lexicon has none; searching makes it in memory.
    if (error.code() != ErrorCode::NotFound) faults.push_back({path.string(), error.cause()});
  }
  return faults;
}

const std::vector<Lexicon>& Collection::lexicon() const {
  const std::lock_guard lock(state_->lexicon_mutex);
  if (state_->lexicon_generation != state_->counts.generation) {
    state_->lexicon = open_lexicon(*state_);
    state_->lexicon_generation = state_->counts.generation;
  }
  return state_->lexicon;
}

}  // namespace zeroshelf
