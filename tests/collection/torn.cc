#include <fmt/format.h>

#include <map>

#include "tests/collection/crash_writer.h"
#include "tests/collection/shelf.h"

namespace zeroshelf::testing {

std::string torn(const Collection& collection) {
  std::map<uint32_t, uint32_t> pictures_of_batch;
  std::string wrong;
  collection.for_each_record([&](Row, const PictureRecord& record) {
    const auto number = static_cast<uint32_t>(std::stoul(record.file.path.substr(1)));
    ++pictures_of_batch[number / kCrashBatch];
    if (!holds(collection, record.file.path, number)) wrong = record.file.path + " is another one";
  });
  uint64_t pictures = 0;
  for (const auto& [batch, count] : pictures_of_batch) {
    if (count != kCrashBatch) wrong = fmt::format("batch {} has {} pictures", batch, count);
    pictures += count;
  }
  if (pictures != collection.counts().pictures) {
    wrong = fmt::format("{} records of {}", pictures, collection.counts().pictures);
  }
  return wrong;
}

}  // namespace zeroshelf::testing
