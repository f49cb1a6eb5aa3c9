// The collection's approximate index: which rows it has, when it is extended or trained anew.
// Tested by tests/collection/ivf_test.cc.

#include "lib/collection/state.h"
#include "lib/files/new_file.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kImageKind = "ivf-image";
constexpr const char* kTextKind = "ivf-text";

fs::path ivf_path(const fs::path& directory, const layout::Current& current, const char* kind) {
  return layout::snapshot_file(directory, kind, current.epoch, *current.ivf_generation);
}

Ivf map_one(const fs::path& directory, const layout::Current& current, const char* kind,
            uint32_t dimension) {
  const fs::path path = ivf_path(directory, current, kind);
  Ivf ivf = Ivf::map(path, dimension);
  if (ivf.origin() != IvfOrigin{current.epoch, *current.ivf_generation})
    throw Error(ErrorCode::Corruption, path.string(), "belongs to another snapshot");
  return ivf;
}

bool has_rows_of(const RowTable& rows, const VectorIndex& index) {
  return index.image.size() <= rows.image.size() && index.text.size() <= rows.text.size();
}

// What CURRENT names, if it is there and fits the rows. With Whole all of it is read and checked.
enum class Reading { AsNeeded, Whole };
std::optional<VectorIndex> usable_ivf(const fs::path& directory, const layout::Current& current,
                                      const RowTable& rows, Reading reading) {
  if (!current.ivf_generation) return std::nullopt;
  try {
    VectorIndex index = map_ivf(directory, current, rows.image.dimension());
    if (!has_rows_of(rows, index)) return std::nullopt;
    if (reading == Reading::Whole) {
      index.image.check();
      index.text.check();
    }
    return index;
  } catch (const Error&) {
    // Derived, whatever is in its place: the rows have it all.
  }
  return std::nullopt;
}

}  // namespace

VectorIndex map_ivf(const fs::path& directory, const layout::Current& current, uint32_t dimension) {
  return {map_one(directory, current, kImageKind, dimension),
          map_one(directory, current, kTextKind, dimension)};
}

std::optional<uint64_t> write_ivf(const fs::path& directory, const layout::Current& current,
                                  const RowTable& rows, uint64_t generation,
                                  const SnapshotOptions& options, IvfTraining training) {
  constexpr uint64_t kTailShare = 20;  // a 20th of the rows may be after it: they are all looked at
  constexpr uint64_t kGrowth = 2;      // since it was trained
  if (rows.image.size() < options.ivf_from_rows) return std::nullopt;
  layout::Current next = current;
  next.ivf_generation = generation;
  const IvfOrigin origin{current.epoch, generation};
  const auto write = [&](const char* kind, const std::string& bytes) {
    write_file_atomically(ivf_path(directory, next, kind), bytes);
  };
  if (training == IvfTraining::WhenDue) {
    const auto index = usable_ivf(directory, current, rows, Reading::Whole);
    if (index && rows.image.size() < kGrowth * index->image.trained_size()) {
      if ((rows.image.size() - index->image.size()) * kTailShare <= rows.image.size())
        return current.ivf_generation;
      write(kImageKind, extended_ivf(index->image, rows.image, origin));
      write(kTextKind, extended_ivf(index->text, rows.text, origin));
      return generation;
    }
  }
  const auto is_live = [&](Row row) { return !rows.removed[row]; };
  write(kImageKind, trained_ivf(rows.image, is_live, origin));
  write(kTextKind,
        trained_ivf(
            rows.text, [&](Row text) { return is_live(rows.text_owners[text]); }, origin));
  return generation;
}

bool is_ivf_outdated(const fs::path& directory, const layout::Current& current,
                     const RowTable& rows, const SnapshotOptions& options) {
  if (rows.image.size() < options.ivf_from_rows) return false;
  const auto index = usable_ivf(directory, current, rows, Reading::Whole);
  return !index || index->image.trained_size() != rows.image.size() ||
         index->text.trained_size() != rows.text.size();
}

std::vector<Fault> ivf_faults(const fs::path& directory, const layout::Current& current,
                              uint32_t dimension) {
  std::vector<Fault> faults;
  if (!current.ivf_generation) return faults;
  for (const char* kind : {kImageKind, kTextKind}) {
    try {
      map_one(directory, current, kind, dimension).check();
    } catch (const Error& error) {
      faults.push_back({ivf_path(directory, current, kind).string(), error.cause()});
    }
  }
  return faults;
}

const VectorIndex* Collection::vector_index() const {
  State& state = *state_;
  // Rows that were read from the records instead of the snapshot lack texts of removed rows, so the
  // index's text vectors would be others.
  if (state.rows_in_snapshot == 0 || !state.current.ivf_generation) return nullptr;
  const std::lock_guard lock(state.ivf_mutex);
  if (state.ivf_generation != state.current.ivf_generation) {
    state.ivf = usable_ivf(state.directory, state.current, state.rows, Reading::AsNeeded);
    state.ivf_generation = state.current.ivf_generation;
  }
  return state.ivf ? &*state.ivf : nullptr;
}

}  // namespace zeroshelf
