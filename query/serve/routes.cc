// Which endpoint a request is for. Tested by tests/serve.

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cctype>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "query/serve/asked.h"
#include "query/serve/assets.h"
#include "query/serve/service.h"

namespace zeroshelf::serve {
namespace {

constexpr uint64_t kSmall = 4 << 20;
constexpr uint64_t kWithPicture = 64 << 20;

// What a request's body has to be.
enum class Body {
  None,
  Json,  // and says so, which no form of another site can
  Csv,
  AnyType,  // JSON, whatever it says
};
// Whether something is kept or written, or looked at whether it can be.
enum class Effect { Reads, Writes };

// Where several processes answer together: which of them it takes.
enum class Who {
  First,  // the first one knows it, or asks the others for some of it
  All,    // each from its own parts
  One,    // one that has all parts, so it is refused
};

struct Route {
  const char* method;
  std::string_view path;  // * stands for one part: the variable
  HttpResponse (*answer)(Service&, const Call&);
  Who who = Who::One;
  Body body = Body::None;
  Effect effect = Effect::Reads;
  uint64_t most_body = kSmall;
};

constexpr Route kRoutes[] = {
    {"GET", "/v1/collection", get_collection, Who::First},
    {"GET", "/v1/stats", get_stats, Who::All},
    {"POST", "/v1/classify", post_classify, Who::All, Body::Json},
    {"POST", "/v1/classify/pictures", post_shelf, Who::All, Body::Json},
    {"POST", "/v1/classify/answers", post_answers, Who::First, Body::Json},
    {"POST", "/v1/search", post_search, Who::All, Body::Json, Effect::Reads, kWithPicture},
    {"GET", "/v1/pictures/*", get_picture, Who::All},
    {"POST", "/v1/pictures/*/evidence", post_evidence, Who::All, Body::Json},
    {"GET", "/v1/pictures/*/thumbnail", get_thumbnail, Who::First},
    {"GET", "/v1/pictures/*/file", get_file, Who::First},
    {"GET", "/v1/truth", get_truth, Who::All},
    {"PUT", "/v1/truth", put_truth, Who::All, Body::Json, Effect::Writes},
    {"DELETE", "/v1/truth", delete_truth, Who::First, Body::None, Effect::Writes},
    {"GET", "/v1/truth.csv", get_truth_csv, Who::First},
    {"PUT", "/v1/truth.csv", put_truth_csv, Who::All, Body::Csv, Effect::Writes, kWithPicture},
    {"POST", "/v1/evaluate", post_evaluate, Who::All, Body::Json},
    {"POST", "/v1/calibrate", post_calibrate, Who::One, Body::Json, Effect::Writes},
    {"POST", "/v1/train", post_train, Who::One, Body::Json, Effect::Writes},
    {"POST", "/v1/review", post_review, Who::All, Body::Json},
    {"GET", "/v1/runs", get_runs, Who::First},
    {"GET", "/v1/runs/*", get_run, Who::First},
    {"PUT", "/v1/runs/*", put_run, Who::One, Body::Json, Effect::Writes},
    {"DELETE", "/v1/runs/*", delete_run, Who::First, Body::None, Effect::Writes},
    {"DELETE", "/v1/calibrations/*", delete_calibration, Who::First, Body::None, Effect::Writes},
    {"DELETE", "/v1/classifiers/*", delete_classifier, Who::First, Body::None, Effect::Writes},
    {"POST", "/v1/diff", post_diff, Who::One, Body::Json},
    {"POST", "/v1/export/preview", post_preview, Who::One, Body::Json, Effect::Writes},
    {"POST", "/v1/export", post_export, Who::One, Body::Json, Effect::Writes},
    {"POST", "/v1/undo", post_undo, Who::One, Body::Json, Effect::Writes},
    {"GET", "/v1/jobs", get_jobs, Who::First},
    {"GET", "/v1/jobs/*", get_job, Who::First},
    {"DELETE", "/v1/jobs/*", delete_job, Who::One, Body::None, Effect::Writes},
    {"GET", "/v1/duplicates", get_duplicates},
    {"GET", "/v1/skips", get_skips, Who::All},
    {"GET", "/healthz", get_health, Who::First},
    {"GET", "/metrics", get_metrics, Who::First},
    {"POST", "/knn-service", post_knn, Who::All, Body::AnyType, Effect::Reads, kWithPicture},
    {"GET", "/indices-list", get_indices, Who::First},
    {"POST", "/metadata", post_metadata, Who::All, Body::AnyType},
};

// The parameters behind the question mark that an endpoint knows; others of ours know none, and
// those that clients of others ask take any.
struct Parameters {
  HttpResponse (*answer)(Service&, const Call&);
  std::vector<std::string> names;
};

const std::vector<Parameters>& known_parameters() {
  static const std::vector<Parameters> all = {
      {get_picture, {"sha256"}},
      {post_evidence, {"sha256"}},
      {get_thumbnail, {"size", "sha256"}},
      {get_file, {"sha256"}},
      {get_truth, {"offset", "limit"}},
      {get_skips, {"offset", "limit", "reason"}},
      {get_duplicates, {"offset", "limit", "kind", "cosine", "same_words"}},
  };
  return all;
}

void expect_known_parameters(const Route& route, const HttpHead& head) {
  if (!route.path.starts_with("/v1/")) return;
  const auto known = std::ranges::find(known_parameters(), route.answer, &Parameters::answer);
  static const std::vector<std::string> none;
  const std::vector<std::string>& names = known == known_parameters().end() ? none : known->names;
  for (const auto& [name, value] : head.query) {
    if (std::ranges::find(names, name) != names.end()) continue;
    throw Error(ErrorCode::InvalidArgument, to_utf8(name),
                fmt::format("{} {} knows no such parameter", route.method, route.path),
                names.empty() ? std::string("leave it out; it knows none")
                              : fmt::format("it knows {}", fmt::join(names, ", ")));
  }
}

// What processes ask each other.
constexpr Route kInnerRoutes[] = {
    {"GET", "/v1/pictures/*/record", get_file_record, Who::All},
    {"POST", kLinesPath, post_lines, Who::All},
};

// The variable where the path fits the pattern; nothing where it does not.
std::optional<std::string> fit(std::string_view pattern, std::string_view path) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos)
    return pattern == path ? std::optional<std::string>("") : std::nullopt;
  const std::string_view before = pattern.substr(0, star);
  const std::string_view behind = pattern.substr(star + 1);
  if (path.size() <= before.size() + behind.size() || !path.starts_with(before) ||
      !path.ends_with(behind))
    return std::nullopt;
  const std::string_view part =
      path.substr(before.size(), path.size() - before.size() - behind.size());
  if (part.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(part);
}

struct Found {
  const Route* route = nullptr;
  std::string variable;
  bool path_is_known = false;
};

Found find_route(std::string_view method, std::string_view path,
                 std::span<const Route> routes = kRoutes) {
  if (method == "HEAD") method = "GET";
  Found found;
  for (const Route& route : routes) {
    auto variable = fit(route.path, path);
    if (!variable) continue;
    found.path_is_known = true;
    if (method != route.method) continue;
    found.route = &route;
    found.variable = *std::move(variable);
    return found;
  }
  return found;
}

std::string media_type(const std::string& content_type) {
  std::string type(trimmed(std::string_view(content_type)
                               .substr(0, std::min(content_type.find(';'), content_type.size()))));
  for (char& c : type) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return type;
}

std::optional<HttpResponse> body_refusal(const Route& route, const HttpHead& head) {
  const std::string type = media_type(head.content_type);
  const char* wanted = route.body == Body::Json ? "application/json" : "text/csv";
  if (route.body == Body::None || route.body == Body::AnyType || type == wanted)
    return std::nullopt;
  return error_response(415, "invalid_argument", "Content-Type",
                        fmt::format("'{}' is not {}", to_utf8(type), wanted),
                        fmt::format("send Content-Type: {}", wanted));
}

const Asset* asset_of(const HttpHead& head) {
  if (head.method != "GET" && head.method != "HEAD") return nullptr;
  return find_asset(head.path == "/" ? "/index.html" : head.path);
}

HttpResponse asset_response(const Asset& asset, const HttpHead& head) {
  HttpResponse response;
  const std::string_view bytes = asset.bytes();
  const std::string mark = fmt::format("\"{:016x}\"", checksum64(std::as_bytes(std::span(bytes))));
  response.headers.push_back({"ETag", mark});
  response.headers.push_back({"Cache-Control", "no-cache"});
  if (head.if_none_match == mark) {
    response.status = 304;
    return response;
  }
  response.content_type = asset.type;
  response.body = bytes;
  return response;
}

bool has_header(const HttpResponse& response, std::string_view name) {
  for (const auto& header : response.headers) {
    if (header.first == name) return true;
  }
  return false;
}

// What every answer carries: nothing of another host, nothing inline, nothing guessed.
void add_safe_headers(HttpResponse& response) {
  constexpr std::pair<const char*, const char*> kHeaders[] = {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
       "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri "
       "'none'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
      {"Cache-Control", "no-store"},
  };
  for (const auto& [name, value] : kHeaders) {
    if (!has_header(response, name)) response.headers.push_back({name, value});
  }
}

HttpResponse no_such(const HttpHead& head, bool path_is_known) {
  if (path_is_known)
    return error_response(405, "invalid_argument", head.method, "that is not what can be done here",
                          "GET /openapi.json tells");
  return error_response(404, "not_found", to_utf8(head.path), "there is nothing here",
                        "GET /openapi.json tells what there is");
}

HttpResponse answer_by(Service& service, const Route& route, const Call& call) {
  if (service.chorus == nullptr || route.who == Who::First) return route.answer(service, call);
  if (route.who == Who::All) return service.chorus->ask(call.request);
  throw Error(ErrorCode::Unavailable, to_utf8(call.request.path),
              "takes all parts in one process, and several answer together here",
              "start serve without mpirun or srun for it");
}

HttpResponse answer_route(Service& service, const Found& found, const HttpRequest& request) {
  const Call call{request, found.variable, service.living.now(), [&request] {
                    if (request.is_abandoned()) throw Abandoned();
                  }};
  const Metrics::Timer timer(service.metrics, found.route->path);
  try {
    expect_known_parameters(*found.route, request);
    HttpResponse response = answer_by(service, *found.route, call);
    timer.ends(response.status);
    return response;
  } catch (...) {
    HttpResponse response = failure_response(std::current_exception());
    timer.ends(response.status);
    return response;
  }
}

}  // namespace

HttpResponse Service::answer_together(const HttpRequest& request) {
  Found found = find_route(request.method, request.path);
  if (found.route == nullptr) found = find_route(request.method, request.path, kInnerRoutes);
  assert(found.route != nullptr && found.route->who == Who::All);
  return found.route->answer(*this, {request, found.variable, living.now(), [] {}});
}

std::vector<std::string> unanswered(const Service& service) {
  std::vector<std::string> routes;
  if (service.chorus == nullptr) return routes;
  for (const Route& route : kRoutes) {
    if (route.who == Who::One) routes.push_back(fmt::format("{} {}", route.method, route.path));
  }
  return routes;
}

HttpServer::Admission Service::admit(const HttpHead& head, Guard& guard) {
  HttpServer::Admission admission;
  const auto refuse = [&](HttpResponse response) {
    add_safe_headers(response);
    admission.refusal = std::move(response);
    return admission;
  };
  if (auto refusal = guard.refusal(head)) return refuse(*std::move(refusal));
  if (head.method == "POST" && head.path == "/login") {
    admission.most_body_bytes = 4096;
    return admission;
  }
  if (asset_of(head) != nullptr) return admission;
  const Found found = find_route(head.method, head.path);
  if (found.route == nullptr) return refuse(no_such(head, found.path_is_known));
  if (found.route->effect == Effect::Writes && options.read_only)
    return refuse(error_response(403, "forbidden", to_utf8(head.path), "the server only reads",
                                 "start it without --read-only"));
  if (auto refusal = body_refusal(*found.route, head)) return refuse(*std::move(refusal));
  admission.most_body_bytes = found.route->body == Body::None ? 0 : found.route->most_body;
  return admission;
}

HttpResponse Service::handle(const HttpRequest& request, const Guard& guard) {
  HttpResponse response;
  if (request.method == "POST" && request.path == "/login") {
    const std::string_view body = trimmed(request.body);
    response = guard.login(body.starts_with("token=") ? body.substr(6) : body);
  } else if (const Asset* asset = asset_of(request)) {
    response = asset_response(*asset, request);
  } else if (const Found found = find_route(request.method, request.path); found.route != nullptr) {
    response = answer_route(*this, found, request);
  } else {
    response = no_such(request, found.path_is_known);
  }
  add_safe_headers(response);
  return response;
}

HttpResponse json_response(std::string body, int status) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

GoOn go_on_of(Service& service, const Call& call, const std::string& client, const char* kind) {
  const uint64_t number = service.clients.arrive(kind, client);
  return [&service, &call, client, kind, number] {
    if (service.clients.is_overtaken(kind, client, number)) throw Overtaken();
    call.go_on();
  };
}

std::string folder_name(const std::filesystem::path& collection) {
  return to_utf8(absolute_path(collection).filename().string());
}

uint64_t whole_parameter(const HttpHead& head, const char* name, uint64_t default_value,
                         uint64_t most) {
  const auto given = head.parameter(name);
  if (!given) return default_value;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(given->data(), given->data() + given->size(), value);
  if (error != std::errc() || end != given->data() + given->size() || value > most)
    throw Error(ErrorCode::InvalidArgument, name,
                fmt::format("'{}' is no whole number from 0 to {}", to_utf8(*given), most));
  return value;
}

namespace {

// The row in the path, and what content it should have.
struct NamedRow {
  uint64_t row = 0;
  std::optional<ContentHash> content;
};

NamedRow named_row(const Call& call) {
  uint64_t row = 0;
  const std::string& text = call.variable;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), row);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(ErrorCode::NotFound, to_utf8(text), "no row: rows are whole numbers");
  std::optional<ContentHash> content;
  if (const auto hash = call.request.parameter("sha256")) content = ask_hash(*hash, "sha256");
  return {row, content};
}

}  // namespace

std::optional<Row> own_row(const Call& call) {
  const NamedRow named = in_all(*call.snapshot, [&] { return named_row(call); });
  return own_row(*call.snapshot, named.row, named.content);
}

}  // namespace zeroshelf::serve
