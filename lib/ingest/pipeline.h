#pragma once

// Files -> what the collection takes, by threads that each do whatever is due: encode a batch when
// enough pictures are ready, else prepare the next file. So no thread waits while there is work,
// whichever of decoding, OCR and encoding is the slowest, and each piece of work is done by one
// thread alone.
//
// Results come out in the order of the files. A slow picture holds back the commit of later ones,
// not the work on them, until the window is full of results, which are small.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/encoder/encoder.h"
#include "lib/ingest/memory_budget.h"
#include "lib/ingest/prepare.h"
#include "lib/ingest/stage_times.h"

namespace zeroshelf {

using Result = std::variant<NewPicture, KnownContent, SkippedFile>;

struct PipelineOptions {
  PrepareOptions prepare;
  TextReaderOptions ocr;  // without languages: no OCR
  unsigned threads = 1;
  size_t window = 2048;               // files between the next one to be taken and the last begun
  uint64_t memory_bytes = 512 << 20;  // of files and pixels on their way to a crop
};

// Encodes prepared pictures as one batch, in the calling thread.
std::vector<NewPicture> encode(Encoder& encoder, std::vector<PreparedPicture> pictures,
                               StageTimes& times);

// Threads: the constructor, pop and the destructor belong to one thread.
class Pipeline {
 public:
  // files, encoder and times outlive the pipeline. is_known is called from all threads. Throws what
  // a TextReader throws. Where threads cannot be started, fewer work, or the caller's own in pop().
  Pipeline(const std::vector<FoundFile>& files, Encoder& encoder, const PipelineOptions& options,
           std::function<bool(const ContentHash&)> is_known, StageTimes& times);
  // Waits for the work that has begun; the rest is dropped.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Whether every file's result was taken.
  bool empty() const { return taken_ == files_.size(); }

  // The result of the next file, or nothing when it is not there after a while; where no thread
  // could be started, after a step of the work, however long that takes. Throws what its work
  // threw. Not when empty().
  std::optional<Result> pop(std::chrono::milliseconds patience);

 private:
  struct Slot {
    std::optional<PreparedPicture> prepared;
    std::optional<Result> result;
    std::exception_ptr failure;
    bool is_done() const { return result.has_value() || failure; }
  };
  using SlotPointer = std::shared_ptr<Slot>;

  void work(TextReader* reader);
  bool work_once(std::unique_lock<std::mutex>& lock, TextReader* reader);
  void prepare_next(std::unique_lock<std::mutex>& lock, TextReader* reader);
  void encode_batch(std::unique_lock<std::mutex>& lock);
  bool may_begin() const;
  Prepared prepare_one(size_t index, TextReader* reader);

  const std::vector<FoundFile>& files_;
  Encoder& encoder_;
  const PipelineOptions options_;
  const std::function<bool(const ContentHash&)> is_known_;
  StageTimes& times_;
  MemoryBudget memory_;

  std::mutex mutex_;
  std::condition_variable work_;    // there may be something to do
  std::condition_variable done_;    // a result is there
  std::deque<SlotPointer> slots_;   // files begun and not taken
  std::vector<SlotPointer> ready_;  // prepared, to be encoded
  size_t begun_ = 0;
  size_t taken_ = 0;
  size_t preparing_ = 0;
  bool closing_ = false;
  std::exception_ptr failure_;  // of the pipeline's own work, not of a file's
  std::vector<std::unique_ptr<TextReader>> readers_;
  std::vector<std::function<void()>> bodies_;
  std::vector<std::thread> threads_;
};

}  // namespace zeroshelf
