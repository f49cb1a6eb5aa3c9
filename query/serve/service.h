#pragma once

// What the server answers: requests of the interface (openapi.json) and the files of the page.
// It knows nothing of sockets; http_server.h calls it, and tests do.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lib/search/duplicates.h"
#include "query/serve/chorus.h"
#include "query/serve/errors.h"
#include "query/serve/guard.h"
#include "query/serve/http.h"
#include "query/serve/http_server.h"
#include "query/serve/jobs.h"
#include "query/serve/labeller.h"
#include "query/serve/living_view.h"
#include "query/serve/metrics.h"
#include "query/serve/thumbnails.h"
#include "query/serve/truths.h"
#include "query/serve/warm_encoder.h"

namespace zeroshelf::serve {

struct ServiceOptions {
  std::vector<std::filesystem::path> collections;
  ModelOptions model;
  bool read_only = false;
  std::filesystem::path exports;     // where they are put; empty: there are none
  std::filesystem::path thumbnails;  // the cache folder; empty: nothing is kept
  // With several processes: what open_together gave, and who asks the others; both or none. It only
  // reads then.
  SnapshotPointer together = nullptr;
  Chorus* chorus = nullptr;
};

struct FoundDuplicates {
  std::string key;  // of the state and the limits
  DuplicatesOnDisk groups;
  double seconds = 0;
};

// Threads: any.
class Service {
  // Before what has threads that use them.
  mutable std::mutex mutex_;
  std::unique_ptr<WarmEncoder> encoder_;
  std::unique_ptr<Labeller> labeller_;
  std::shared_ptr<const FoundDuplicates> duplicates_;

 public:
  // Opens the collections; throws what that throws, and what reading the kept truth throws.
  explicit Service(ServiceOptions options);
  ~Service();

  // Whether a request may go on, by its head, and how long its body may be.
  HttpServer::Admission admit(const HttpHead& head, Guard& guard);
  // Every outcome is an answer.
  HttpResponse handle(const HttpRequest& request, const Guard& guard);

  // Answers a question of the chorus, in each process. Throws what the endpoint throws.
  HttpResponse answer_together(const HttpRequest& request);

  // --- of the endpoints ------------------------------------------------------------------------

  const ServiceOptions options;
  Chorus* const chorus = options.chorus;  // null: this is the only process
  WarmEncoder& encoder() { return *encoder_; }

  LivingView living;
  Truths truths;
  Gate gate;
  Gate duplicates_gate;  // takes long: whoever types does not wait for it
  Clients clients;
  Thumbnails thumbnails;
  Jobs jobs;
  Metrics metrics;

  Labeller& labeller() { return *labeller_; }
  bool is_loopback = true;
  std::function<HttpCounts()> http_counts;
  double uptime_seconds() const;

  // The duplicates that were looked for last; null: none were.
  std::shared_ptr<const FoundDuplicates> duplicates() const;
  void keep_duplicates(std::shared_ptr<const FoundDuplicates> found);

 private:
  void keep_house();

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::condition_variable ends_changed_;
  bool ends_ = false;
  std::thread housekeeper_;
};

// A request on its way to an endpoint.
struct Call {
  const HttpRequest& request;
  std::string variable;  // of the path: {row}, {name}, {id}
  SnapshotPointer snapshot;
  GoOn go_on;  // throws Abandoned
};

// The view's row of the picture in the path, by its row and its parameter sha256. Throws NotFound.
// Absent where it is another process's.
std::optional<Row> own_row(const Call& call);

uint64_t whole_parameter(const HttpHead& head, const char* name, uint64_t default_value,
                         uint64_t most);

// What is asked while it is answered: also whether a later request of the client came, of that
// kind.
GoOn go_on_of(Service& service, const Call& call, const std::string& client, const char* kind);

// What people call a collection: its folder's name.
std::string folder_name(const std::filesystem::path& collection);

HttpResponse json_response(std::string body, int status = 200);

// What is refused where several processes answer together: "POST /v1/train". Empty: there is one.
std::vector<std::string> unanswered(const Service& service);

// --- endpoints: see openapi.json -----------------------------------------------------------------

HttpResponse get_collection(Service& service, const Call& call);
HttpResponse get_stats(Service& service, const Call& call);
HttpResponse get_health(Service& service, const Call& call);
HttpResponse get_metrics(Service& service, const Call& call);
HttpResponse get_skips(Service& service, const Call& call);
HttpResponse get_duplicates(Service& service, const Call& call);

HttpResponse post_classify(Service& service, const Call& call);
HttpResponse post_shelf(Service& service, const Call& call);
HttpResponse post_answers(Service& service, const Call& call);
HttpResponse post_evidence(Service& service, const Call& call);
HttpResponse post_review(Service& service, const Call& call);
// Asked by the first of several processes alone: the lines of post_answers for some rows.
inline constexpr const char* kLinesPath = "/v1/classify/answers/lines";
HttpResponse post_lines(Service& service, const Call& call);

HttpResponse post_search(Service& service, const Call& call);

HttpResponse get_picture(Service& service, const Call& call);
HttpResponse get_thumbnail(Service& service, const Call& call);
HttpResponse get_file(Service& service, const Call& call);
HttpResponse get_file_record(Service& service, const Call& call);

HttpResponse get_truth(Service& service, const Call& call);
HttpResponse put_truth(Service& service, const Call& call);
HttpResponse delete_truth(Service& service, const Call& call);
HttpResponse get_truth_csv(Service& service, const Call& call);
HttpResponse put_truth_csv(Service& service, const Call& call);
HttpResponse post_evaluate(Service& service, const Call& call);
HttpResponse post_calibrate(Service& service, const Call& call);
HttpResponse post_train(Service& service, const Call& call);

HttpResponse get_runs(Service& service, const Call& call);
HttpResponse get_run(Service& service, const Call& call);
HttpResponse put_run(Service& service, const Call& call);
HttpResponse delete_run(Service& service, const Call& call);
HttpResponse delete_calibration(Service& service, const Call& call);
HttpResponse delete_classifier(Service& service, const Call& call);
HttpResponse post_diff(Service& service, const Call& call);

HttpResponse post_preview(Service& service, const Call& call);
HttpResponse post_export(Service& service, const Call& call);
HttpResponse post_undo(Service& service, const Call& call);
HttpResponse get_jobs(Service& service, const Call& call);
HttpResponse get_job(Service& service, const Call& call);
HttpResponse delete_job(Service& service, const Call& call);

// As clip-retrieval's clients ask.
HttpResponse post_knn(Service& service, const Call& call);
HttpResponse get_indices(Service& service, const Call& call);
HttpResponse post_metadata(Service& service, const Call& call);

}  // namespace zeroshelf::serve
