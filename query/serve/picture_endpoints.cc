// What is known of a picture, and its file. Tested by tests/serve.

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "query/serve/answers.h"
#include "query/serve/chorus.h"
#include "query/serve/service.h"

namespace zeroshelf::serve {
namespace {

Error no_file(const PictureRecord& record, const Skip& skip) {
  return {ErrorCode::NotFound, to_hex(record.content_hash), skip.detail,
          "run zeroshelf-index add again"};
}

// With its content in the address an answer never changes.
std::string cache_control(const Call& call) {
  return call.request.parameter("sha256") ? "private, max-age=31536000, immutable"
                                          : "private, no-cache";
}

// What is known of the picture's file; of another process's picture that one tells it.
PictureRecord file_record(Service& service, const Call& call) {
  if (service.chorus == nullptr) return call.snapshot->view.record(*own_row(call));
  HttpRequest asked = call.request;
  asked.path = "/v1/pictures/" + call.variable + "/record";
  const HttpResponse told = service.chorus->ask(asked);
  PictureRecord record;
  ByteReader in(told.body, kRanksMessage);
  record.file.path = in.text();
  record.file.size_bytes = in.number<uint64_t>();
  record.file.mtime_ns = in.number<int64_t>();
  record.width_px = in.number<uint32_t>();
  record.height_px = in.number<uint32_t>();
  std::ranges::copy(in.take(record.content_hash.size()), record.content_hash.begin());
  in.expect_end();
  return record;
}

}  // namespace

HttpResponse get_picture(Service& service, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  const std::optional<Row> own = own_row(call);
  const std::vector<Row> copies = copies_of(snapshot, own);
  return json_response(told_by_owner(snapshot, own, [&](Row row) {
    return picture_json(snapshot, row, copies, *service.truths.all());
  }));
}

// Asked by the first process alone, which reads the file itself.
HttpResponse get_file_record(Service&, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  HttpResponse response;
  response.body = told_by_owner(snapshot, own_row(call), [&](Row row) {
    const PictureRecord record = snapshot.view.record(row);
    ByteWriter out;
    out.text(record.file.path);
    out.number(record.file.size_bytes);
    out.number(record.file.mtime_ns);
    out.number(record.width_px);
    out.number(record.height_px);
    out.raw(std::as_bytes(std::span(record.content_hash)));
    return std::move(out).bytes();
  });
  return response;
}

HttpResponse get_thumbnail(Service& service, const Call& call) {
  const PictureRecord record = file_record(service, call);
  const uint64_t size = whole_parameter(call.request, "size", 320, 2048);
  auto jpeg = service.thumbnails.get(record, Thumbnails::step_of(size));
  if (const Skip* skip = std::get_if<Skip>(&jpeg)) throw no_file(record, *skip);
  HttpResponse response;
  response.content_type = "image/jpeg";
  response.body = std::get<std::string>(std::move(jpeg));
  response.headers.push_back({"Cache-Control", cache_control(call)});
  return response;
}

HttpResponse get_file(Service& service, const Call& call) {
  const PictureRecord record = file_record(service, call);
  auto file = service.thumbnails.file(record);
  if (const Skip* skip = std::get_if<Skip>(&file)) throw no_file(record, *skip);
  HttpResponse response;
  response.body = std::get<std::string>(std::move(file));
  response.content_type = picture_type(response.body);
  response.headers = {{"Cache-Control", cache_control(call)},
                      {"Content-Disposition", "inline"},
                      {"Content-Security-Policy", "default-src 'none'; sandbox"}};
  return response;
}

}  // namespace zeroshelf::serve
