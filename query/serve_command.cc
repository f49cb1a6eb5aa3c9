// serve: a page and an HTTP interface, until it is told to end. Tested by tests/serve.

#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
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

// SIGINT and SIGTERM, for as long as it lives, in every thread that is started meanwhile.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~EndSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
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

int run_serve(const ServeOptions& options) {
  expect_one_process("serve");
  serve::ListenAddress address = serve::parse_listen_address(options.listen);
  if (!address.is_loopback() && options.token_file.empty())
    throw Error(ErrorCode::InvalidArgument, "--listen",
                fmt::format("{} can be reached from other machines, and anybody there could look at "
                            "the pictures",
                            options.listen),
                "add --token-file FILE, or listen on 127.0.0.1 and come through ssh -L");
  const std::string token =
      options.token_file.empty() ? "" : serve::read_token(options.token_file);
  const EndSignals end;
  serve::ServiceOptions of_service;
  of_service.collections = parts_of(options.collections);
  of_service.model = options.model;
  of_service.read_only = options.read_only;
  of_service.exports = exports_of(options);
  of_service.thumbnails = serve::Thumbnails::default_folder();
  Service service(std::move(of_service));
  service.is_loopback = address.is_loopback();

  std::unique_ptr<Guard> guard;
  HttpServer server({}, {[&](const serve::HttpHead& head) { return service.admit(head, *guard); },
                         [&](const serve::HttpRequest& request) {
                           return service.handle(request, *guard);
                         },
                         failure});
  service.http_counts = [&server] { return server.counts(); };
  address.port = server.bind(address.host, address.port);
  guard = std::make_unique<Guard>(address, options.names, token);
  server.start();
  const std::string url = fmt::format("http://{}/", address.authority());
  OutputStream out(stdout, "standard output");
  out.write(json_line(Listening{url}));
  out.flush();
  const auto pictures = service.living.now()->counts.pictures;
  say("{} pictures; open {}{}\n", with_thousands(pictures), url.substr(0, url.size() - 1),
      guard->opening_path());
  if (!token.empty())
    say("that address works once; other programs send the token of {}\n",
        printable(options.token_file.string()));
  end.wait();
  server.stop();
  return kDone;
}

}  // namespace

void add_serve(Program& program) {
  const auto shared = std::make_shared<ServeOptions>();
  ServeOptions& options = *shared;
  CLI::App* command =
      program.add_command("serve", "A page and an HTTP interface for collections, until Ctrl-C",
                          [shared] { return run_serve(*shared); });
  add_collections(command, options.collections);
  command
      ->add_option("--listen", options.listen,
                   "Where; port 0 is any that is free; an address that others can reach needs "
                   "--token-file")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  command
      ->add_option("--token-file", options.token_file,
                   "Only who has the token in it may ask; it is made where there is none")
      ->type_name("FILE");
  command
      ->add_option("--host-name", options.names,
                   "A name by which others reach this machine, beside its own; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->add_option("--export-to", options.exports, "In which folder exports of the page are made")
      ->type_name("DIR")
      ->default_str("the current one");
  command->add_flag("--read-only", options.read_only,
                    "Keep nothing, judge nothing, export nothing");
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
