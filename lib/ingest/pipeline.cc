// Tested by tests/ocr/pipeline_test.cc and sync_test.cc.

#include "lib/ingest/pipeline.h"

#include <algorithm>
#include <span>
#include <utility>

#include "lib/util/parallel.h"
#include "lib/util/words.h"

namespace zeroshelf {
namespace {

std::vector<float> to_vector(std::span<const float> row) {
  return {row.begin(), row.end()};
}

Matrix encode_timed(Encoder& encoder, std::span<const Image> crops, StageTimes& times) {
  const StageTimer timer(times, Stage::EncodeImages);
  return encoder.encode_images(crops);
}

}  // namespace

std::vector<NewPicture> encode(Encoder& encoder, std::vector<PreparedPicture> pictures,
                               StageTimes& times) {
  std::vector<Image> crops;
  std::vector<Image> masked_crops;
  std::vector<std::string> texts;
  for (PreparedPicture& picture : pictures) {
    crops.push_back(std::move(picture.crop));
    if (picture.masked_crop) masked_crops.push_back(std::move(*picture.masked_crop));
    if (!picture.words.empty()) texts.push_back(joined_text(picture.words));
  }
  const Matrix image_vectors = encode_timed(encoder, crops, times);
  const Matrix masked_vectors = encode_timed(encoder, masked_crops, times);
  Matrix text_vectors;
  if (!texts.empty()) {
    const StageTimer timer(times, Stage::EncodeTexts);
    text_vectors = encoder.encode_texts(texts, LongText::Windows);
  }
  std::vector<NewPicture> encoded;
  size_t masked = 0;
  size_t text = 0;
  for (size_t i = 0; i < pictures.size(); ++i) {
    PreparedPicture& picture = pictures[i];
    NewPicture added{std::move(picture.record),
                     std::move(picture.words),
                     to_vector(image_vectors.row(i)),
                     {},
                     {}};
    added.is_blank = picture.is_blank;
    if (!added.words.empty()) added.text_vector = to_vector(text_vectors.row(text++));
    if (picture.masked_crop) added.masked_vector = to_vector(masked_vectors.row(masked++));
    encoded.push_back(std::move(added));
  }
  return encoded;
}

Pipeline::Pipeline(const std::vector<FoundFile>& files, Encoder& encoder,
                   const PipelineOptions& options, std::function<bool(const ContentHash&)> is_known,
                   StageTimes& times)
    : files_(files),
      encoder_(encoder),
      options_(options),
      is_known_(std::move(is_known)),
      times_(times),
      memory_(options.memory_bytes) {
  const auto threads = std::min<size_t>(std::max(1u, options_.threads), files_.size());
  for (size_t i = 0; i < threads; ++i) {
    readers_.push_back(options_.ocr.languages.empty() ? nullptr
                                                      : std::make_unique<TextReader>(options_.ocr));
  }
  for (auto& reader : readers_)
    bodies_.emplace_back([this, engine = reader.get()] { work(engine); });
  threads_ = start_threads(bodies_);
}

Pipeline::~Pipeline() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::optional<Result> Pipeline::pop(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto is_there = [this] {
    return failure_ || (!slots_.empty() && slots_.front()->is_done());
  };
  while (threads_.empty() && !is_there() && work_once(lock, readers_.front().get())) {
  }
  if (!done_.wait_for(lock, patience, is_there)) return std::nullopt;
  if (failure_) std::rethrow_exception(failure_);
  const SlotPointer slot = std::move(slots_.front());
  slots_.pop_front();
  ++taken_;
  work_.notify_all();
  if (slot->failure) std::rethrow_exception(slot->failure);
  return std::move(slot->result);
}

bool Pipeline::may_begin() const {
  return begun_ < files_.size() && slots_.size() < options_.window;
}

void Pipeline::work(TextReader* reader) {
  std::unique_lock lock(mutex_);
  try {
    while (!closing_) {
      if (work_once(lock, reader)) continue;
      if (begun_ == files_.size() && preparing_ == 0) return;
      work_.wait(lock);
    }
  } catch (...) {  // no memory for what the pipeline itself keeps
    if (!lock.owns_lock()) lock.lock();
    failure_ = std::current_exception();
    closing_ = true;
    work_.notify_all();
    done_.notify_all();
  }
}

// False when nothing is due.
bool Pipeline::work_once(std::unique_lock<std::mutex>& lock, TextReader* reader) {
  const size_t batch = std::max<size_t>(1, encoder_.info().batch_images);
  // Less than a batch is encoded only when there is nothing else to do.
  if (ready_.size() >= batch || (!ready_.empty() && !may_begin())) {
    encode_batch(lock);
  } else if (may_begin()) {
    prepare_next(lock, reader);
  } else {
    return false;
  }
  return true;
}

Prepared Pipeline::prepare_one(size_t index, TextReader* reader) {
  MemoryBudget::Lease lease(memory_, index);
  return prepare(files_[index], options_.prepare, reader, is_known_, {times_, lease});
}

void Pipeline::prepare_next(std::unique_lock<std::mutex>& lock, TextReader* reader) {
  const size_t index = begun_++;
  const auto slot = std::make_shared<Slot>();
  slots_.push_back(slot);
  ++preparing_;
  lock.unlock();
  std::optional<Prepared> prepared;
  std::exception_ptr failure;
  try {
    prepared = prepare_one(index, reader);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  --preparing_;
  if (failure) {
    slot->failure = failure;
  } else if (auto* picture = std::get_if<PreparedPicture>(&*prepared)) {
    slot->prepared = std::move(*picture);
    ready_.push_back(slot);
  } else if (auto* known = std::get_if<KnownContent>(&*prepared)) {
    slot->result = std::move(*known);
  } else {
    slot->result = std::move(std::get<SkippedFile>(*prepared));
  }
  work_.notify_all();
  if (slot->is_done()) done_.notify_one();
}

void Pipeline::encode_batch(std::unique_lock<std::mutex>& lock) {
  const size_t count = std::min(ready_.size(), std::max<size_t>(1, encoder_.info().batch_images));
  const auto end = ready_.begin() + static_cast<ptrdiff_t>(count);
  const std::vector<SlotPointer> batch(ready_.begin(), end);
  ready_.erase(ready_.begin(), end);
  lock.unlock();
  std::vector<PreparedPicture> pictures;
  for (const SlotPointer& slot : batch) {
    pictures.push_back(std::move(*slot->prepared));
    slot->prepared.reset();
  }
  std::vector<NewPicture> encoded;
  std::exception_ptr failure;
  try {
    encoded = encode(encoder_, std::move(pictures), times_);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  for (size_t i = 0; i < batch.size(); ++i) {
    if (failure) {
      batch[i]->failure = failure;
    } else {
      batch[i]->result = std::move(encoded[i]);
    }
  }
  work_.notify_all();
  done_.notify_one();
}

}  // namespace zeroshelf
