// What is known of a picture, and its file. Tested by tests/serve.

#include <utility>
#include <variant>

#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "query/serve/answers.h"
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

}  // namespace

HttpResponse get_picture(Service& service, const Call& call) {
  return json_response(picture_json(call.snapshot->view, row_of(call), *service.truths.all()));
}

HttpResponse get_thumbnail(Service& service, const Call& call) {
  const PictureRecord record = call.snapshot->view.record(row_of(call));
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
  const PictureRecord record = call.snapshot->view.record(row_of(call));
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
