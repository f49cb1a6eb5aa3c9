// serve: a page and an HTTP interface, until it is told to end. Tested by tests/serve.

#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "lib/collection/foreign.h"
#include "lib/collection/open_view.h"
#include "lib/program/message.h"
#include "lib/report/json.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "models/flags/model_flags.h"
#include "query/commands.h"
#include "query/flags.h"
#include "query/serve/chorus.h"
#include "query/serve/service.h"
#include "query/together.h"

namespace zeroshelf {
namespace {

using serve::Guard;
using serve::HttpServer;
using serve::Service;

struct ServeOptions {
  std::vector<std::filesystem::path> collections;
  std::string listen = "127.0.0.1:8642";
  std::filesystem::path token_file;
  std::vector<std::string> names;
  std::filesystem::path exports;  // empty: the current folder
  bool read_only = false;
  ModelOptions model;
};

struct Listening {
  static constexpr std::string_view kType = "listening";
  std::string url;
};
void write_members(JsonWriter& json, const Listening& listening) {
  json.member("url", listening.url);
}

// SIGINT and SIGTERM, for as long as it lives, in every thread that is started meanwhile. Not in a
// process that only answers the first one's questions: they end it, and so the launcher ends all.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&signals_);
    if (is_silent()) return;
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~EndSignals() {
    if (!is_silent()) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

  void wait() const {
    int signal = 0;
    while (sigwait(&signals_, &signal) != 0) {
    }
  }

 private:
  sigset_t signals_;
  sigset_t before_;
};

serve::HttpResponse failure(int status, const std::string& cause, const std::string& cure) {
  return serve::error_response(status, status >= 500 ? "unavailable" : "invalid_argument",
                               "the request", cause, cure);
}

// Where exports go. A folder that was named must be one that they can be made in.
std::filesystem::path exports_of(const ServeOptions& options) {
  if (options.read_only) return "";
  if (options.exports.empty()) return absolute_path(".");
  const std::filesystem::path folder = absolute_path(options.exports);
  std::error_code error;
  if (std::filesystem::exists(folder, error) && !std::filesystem::is_directory(folder, error))
    throw Error(ErrorCode::InvalidArgument, "--export-to",
                fmt::format("{} is no folder", folder.string()),
                "name a folder; it is made where there is none");
  const std::filesystem::path collection = collection_around(folder);
  if (!collection.empty())
    throw Error(
        ErrorCode::InvalidArgument, "--export-to",
        fmt::format("{} lies in the folder of the collection {}, which is the collection's alone",
                    folder.string(), collection.string()),
        "name a folder outside of it");
  return folder;
}

// Where clients come in.
class Door {
 public:
  // Throws for an address or a token that must not be.
  explicit Door(const ServeOptions& options)
      : options_(options), address_(serve::parse_listen_address(options.listen)) {
    if (!address_.is_loopback() && options.token_file.empty())
      throw Error(ErrorCode::InvalidArgument, "--listen",
                  fmt::format("{} can be reached from other machines, and anybody there could look "
                              "at the pictures",
                              options.listen),
                  "add --token-file FILE, or listen on 127.0.0.1 and come through ssh -L");
    if (!options.token_file.empty()) token_ = serve::read_token(options.token_file);
  }

  // Until close(); says where. The service must outlive that.
  void open(Service& service) {
    service.is_loopback = address_.is_loopback();
    server_.emplace(serve::HttpLimits{},
                    HttpServer::Handler{[this, &service](const serve::HttpHead& head) {
                                          return service.admit(head, *guard_);
                                        },
                                        [this, &service](const serve::HttpRequest& request) {
                                          return service.handle(request, *guard_);
                                        },
                                        failure});
    service.http_counts = [this] { return server_->counts(); };
    address_.port = server_->bind(address_.host, address_.port);
    guard_.emplace(address_, options_.names, token_);
    server_->start();
    tell(service.living.now()->counts.pictures);
  }
  void close() { server_->stop(); }

 private:
  void tell(uint64_t pictures) const {
    const std::string url = fmt::format("http://{}/", address_.authority());
    OutputStream out(stdout, "standard output");
    out.write(json_line(Listening{url}));
    out.flush();
    say("{} pictures; open {}{}\n", with_thousands(pictures), url.substr(0, url.size() - 1),
        guard_->opening_path());
    if (!token_.empty())
      say("that address works once; other programs send the token of {}\n",
          printable(options_.token_file.string()));
  }

  const ServeOptions& options_;
  serve::ListenAddress address_;
  std::string token_;
  std::optional<Guard> guard_;
  std::optional<HttpServer> server_;
};

serve::ServiceOptions service_options(const ServeOptions& options) {
  serve::ServiceOptions of_service;
  of_service.collections = parts_of(options.collections);
  of_service.model = options.model;
  of_service.read_only = options.read_only;
  of_service.exports = exports_of(options);
  of_service.thumbnails = serve::Thumbnails::default_folder();
  return of_service;
}

int serve_alone(const ServeOptions& options, const EndSignals& end) {
  Door door(options);
  Service service(service_options(options));
  door.open(service);
  end.wait();
  door.close();
  return kDone;
}

// The first process has the door, the model and the files; each has its share of the parts.
int serve_together(const ServeOptions& options, const EndSignals& end, Ranks& ranks) {
  std::optional<Door> door;
  in_all(&ranks, [&] {
    if (ranks.is_first()) door.emplace(options);
  });
  serve::Chorus chorus(ranks);
  serve::ServiceOptions of_service;
  of_service.read_only =
      options.read_only || !ranks.is_first();  // the first one keeps what is kept
  of_service.together = serve::open_together(options.collections, ranks);
  of_service.chorus = &chorus;
  std::optional<Service> service;
  in_all(&ranks, [&] {
    if (ranks.is_first()) {
      of_service.model = options.model;
      of_service.thumbnails = serve::Thumbnails::default_folder();
    }
    service.emplace(std::move(of_service));
    if (door) door->open(*service);
  });
  std::thread listener;
  if (door) {
    say("{} processes answer together\n", ranks.size());
    listener = std::thread([&] {
      end.wait();
      chorus.end();
    });
  }
  try {
    chorus.answer_all(
        [&](const serve::HttpRequest& request) { return service->answer_together(request); });
  } catch (...) {
    if (door) listener.detach();  // the process ends
    throw;
  }
  if (door) {
    listener.join();
    door->close();
  }
  return kDone;
}

int run_serve(const ServeOptions& options) {
  const EndSignals end;
  return together(std::nullopt, [&](Ranks* ranks) {
    return ranks == nullptr ? serve_alone(options, end) : serve_together(options, end, *ranks);
  });
}

}  // namespace

void add_serve(Program& program) {
  const auto shared = std::make_shared<ServeOptions>();
  ServeOptions& options = *shared;
  CLI::App* command = program.add_command(
      "serve", "Serve a web page and an HTTP interface for collections, until Ctrl-C",
      [shared] { return run_serve(*shared); });
  add_collections(command, options.collections);
  command
      ->add_option(
          "--listen", options.listen,
          "Address and port to listen on; port 0: any free one. An address that others can "
          "reach needs --token-file")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  command
      ->add_option("--token-file", options.token_file,
                   "Answer only requests with the token in this file; it is made if it is missing")
      ->type_name("FILE");
  command
      ->add_option("--host-name", options.names,
                   "A name by which others reach this machine, beside its own; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      ->add_option("--export-to", options.exports,
                   "Folder for exports that are started on the page")
      ->type_name("DIR")
      ->default_str("the current one");
  command->add_flag("--read-only", options.read_only,
                    "Allow no saving, judging or exporting on the page and over HTTP");
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
