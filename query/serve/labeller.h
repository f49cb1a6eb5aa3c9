#pragma once

// Labellings -> their answers about the collection. The last few are kept in memory, and the same
// one is computed once, however many ask for it.

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "query/serve/asked.h"
#include "query/serve/shelves.h"
#include "query/serve/warm_encoder.h"

namespace zeroshelf::serve {

// Asked while something takes long; throws where it should not go on. May be called from several
// threads at once.
using GoOn = std::function<void()>;

// What computes with all cores does so one after the other, in the order in which it came.
class Gate {
 public:
  // Inside as long as it lives. Throws what go_on throws while it waits.
  class Pass {
   public:
    Pass(Gate& gate, const GoOn& go_on);
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    Gate& gate_;
    std::list<int>::iterator place_;
  };
  size_t waiting() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable moved_;
  std::list<int> queue_;  // the first is inside
};

// Which request of a client is its latest, so that those before it can stop.
class Clients {
 public:
  // Takes a number for it; kind: what it asks. Empty client: none is ever overtaken.
  uint64_t arrive(const std::string& kind, const std::string& client);
  bool is_overtaken(const std::string& kind, const std::string& client, uint64_t number) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t> latest_;
  uint64_t numbers_ = 0;
};

// Threads: any.
class Labeller {
 public:
  Labeller(WarmEncoder& encoder, Gate& gate) : encoder_(encoder), gate_(gate) {}

  // Throws what make_labelling and Shelves throw, and what go_on throws.
  std::shared_ptr<const Shelves> shelves(const SnapshotPointer& snapshot,
                                         const AskedLabelling& asked, const GoOn& go_on);
  // The labelling alone. Of several processes the first one makes it, and throws InvalidArgument
  // for pictures among the prompts.
  Labelling labelling(const SnapshotPointer& snapshot, const AskedLabelling& asked,
                      const GoOn& go_on);
  // The vectors of what is asked for.
  LabelVectors label_vectors(const SnapshotPointer& snapshot, const LabellingRequest& request,
                             const GoOn& go_on);

  // What a person should know of the labels: those that are the same to the model, prompts that it
  // does not read to their end.
  std::vector<std::string> warnings(const Labelling& labelling) const;

  // Forgets what was computed of earlier states.
  void forget_others(uint64_t serial);

  struct Figures {
    uint64_t hits = 0;
    uint64_t scans = 0;
    uint64_t bytes = 0;
  };
  Figures figures() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Shelves> shelves;
  };
  std::shared_ptr<const Shelves> shelves_together(const SnapshotPointer& snapshot,
                                                  const AskedLabelling& asked, const GoOn& go_on,
                                                  Ranks& ranks);
  std::shared_ptr<const Shelves> find(const std::string& key);
  void keep(std::string key, std::shared_ptr<const Shelves> shelves);
  Matrix encode(const std::vector<std::string>& prompts, const GoOn& go_on);

  WarmEncoder& encoder_;
  Gate& gate_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first
  uint64_t hits_ = 0;
  uint64_t scans_ = 0;
};

}  // namespace zeroshelf::serve
