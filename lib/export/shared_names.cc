// Tested by tests/export/shared_names_test.cc.

#include "lib/export/shared_names.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <tuple>

#include "lib/util/bytes.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// What each process has for each other one -> what each other one had for this one. All ranks call
// it together.
std::vector<std::string> swapped(Ranks& ranks, std::vector<std::string> for_each) {
  std::vector<std::string> of_each(ranks.size());
  for (size_t to = 0; to < ranks.size(); ++to) {
    if (to != ranks.rank()) {
      ranks.send(to, for_each[to]);
      for_each[to] = {};
      continue;
    }
    for (size_t from = 0; from < ranks.size(); ++from)
      of_each[from] = from == to ? std::move(for_each[to]) : ranks.receive(from);
  }
  return of_each;
}

// What one process wants, picture by picture, and what it is given.
class Wanted {
 public:
  explicit Wanted(std::string_view bytes) : in_(bytes, kRanksMessage) {
    for (uint64_t left = in_.varint_at_most(in_.left()); left > 0; --left)
      folders_.emplace_back(in_.text());
    step();
  }

  bool at_end() const { return !has_more_; }
  const fs::path& folder() const { return folders_[folder_]; }
  std::string_view source() const { return source_; }

  void give(unsigned number, const std::optional<fs::path>& earlier) {
    given_.varint(uint64_t{number} * 2 + (earlier ? 1 : 0));
    if (earlier) given_.text(earlier->string());
    step();
  }
  std::string given() && { return std::move(given_).bytes(); }

 private:
  void step() {
    has_more_ = in_.left() > 0;
    if (!has_more_) return;
    folder_ = in_.varint();
    if (folder_ >= folders_.size()) in_.fail("a folder that was not named");
    source_ = in_.text();
  }

  ByteReader in_;
  std::vector<fs::path> folders_;
  bool has_more_ = false;
  size_t folder_ = 0;
  std::string_view source_;
  ByteWriter given_;
};

// Whose picture comes next: by path, equal ones in the order of the processes. Null: there is none.
Wanted* first_of(std::vector<Wanted>& all) {
  Wanted* first = nullptr;
  for (Wanted& one : all) {
    if (!one.at_end() && (first == nullptr || one.source() < first->source())) first = &one;
  }
  return first;
}

}  // namespace

void SharedNames::want(const fs::path& source, const std::vector<std::string>& folders) {
  const auto [folder, is_new] = folders_.try_emplace(folders, folders_.size());
  for (size_t depth = 0; is_new && depth < folders.size(); ++depth)
    first_.try_emplace({depth, folders[depth]}, source.string());
  const std::string base = base_of_names(source, disk_);
  const size_t giver = checksum64(std::as_bytes(std::span(base))) % ranks_.size();
  ByteWriter wanted;
  wanted.varint(folder->second);
  wanted.text(source.string());
  wanted_[giver] += wanted.bytes();
  givers_.push_back(static_cast<uint32_t>(giver));
}

// Folders are numbered by which picture is the first in each.
void SharedNames::name_folders() {
  ByteWriter own;
  for (const auto& [folder, path] : first_) {
    own.text(path);
    own.varint(folder.first);
    own.text(folder.second);
  }
  std::vector<std::tuple<std::string, size_t, std::string>> all;  // path, depth, name
  for (const std::string& of_rank : ranks_.exchange(own.bytes())) {
    ByteReader in(of_rank, kRanksMessage);
    while (in.left() > 0) {
      std::string path(in.text());
      const size_t depth = in.varint();
      all.emplace_back(std::move(path), depth, in.text());
    }
  }
  std::ranges::stable_sort(all, {},
                           [](const auto& one) -> const std::string& { return std::get<0>(one); });
  for (const auto& [path, depth, name] : all) names_.folder_name(depth, name);
  first_.clear();
}

std::vector<std::string> SharedNames::give_to_all(const std::vector<std::string>& wanted) {
  std::vector<Wanted> all(wanted.begin(), wanted.end());
  std::string last;  // path
  fs::path last_place;
  while (Wanted* one = first_of(all)) {
    const fs::path source = one->source();
    const unsigned number = names_.free_number(one->folder(), source);
    const auto earlier = !last.empty() && last == source ? std::optional(last_place) : std::nullopt;
    if (!earlier) {
      last = source.string();
      last_place = names_.place_of(one->folder(), source, number);
    }
    one->give(number, earlier);
  }
  std::vector<std::string> given;
  for (Wanted& one : all) given.push_back(std::move(one).given());
  return given;
}

void SharedNames::give() {
  name_folders();
  std::vector<std::string> folders(folders_.size());
  for (const auto& [names, number] : folders_) folders[number] = names_.folder_of(names).string();
  ByteWriter table;
  table.varint(folders.size());
  for (const std::string& folder : folders) table.text(folder);
  for (std::string& wanted : wanted_) wanted.insert(0, table.bytes());
  std::vector<std::string> given = swapped(ranks_, std::exchange(wanted_, {}));
  given = swapped(ranks_, give_to_all(given));
  wanted_.resize(ranks_.size());

  std::vector<ByteReader> of_giver;
  for (const std::string& one : given) of_giver.emplace_back(one, kRanksMessage);
  numbers_.clear();
  earlier_.clear();
  next_ = 0;
  for (const uint32_t giver : std::exchange(givers_, {})) {
    ByteReader& in = of_giver[giver];
    const uint64_t number = in.varint();
    if (number % 2 == 1) earlier_[numbers_.size()] = in.text();
    numbers_.push_back(static_cast<uint32_t>(number / 2));
  }
  for (const ByteReader& in : of_giver) in.expect_end();
}

GivenName SharedNames::next(const fs::path& source, const std::vector<std::string>& folders) {
  assert(next_ < numbers_.size());
  GivenName name{names_.place_of(names_.folder_of(folders), source, numbers_[next_]), {}};
  if (const auto earlier = earlier_.find(next_); earlier != earlier_.end())
    name.earlier = earlier->second;
  ++next_;
  return name;
}

}  // namespace zeroshelf
