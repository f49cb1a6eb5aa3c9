// Everything linked into one program, asked without a command line. docs/design.md shows the part
// between the marks.

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>
#include <vector>

#include "lib/export/export_sinks.h"
#include "lib/files/new_file.h"
#include "lib/ingest/sync.h"
#include "lib/labelling/labelling.h"
#include "lib/labelling/run.h"
#include "lib/report/prediction_writer.h"
#include "lib/search/search_terms.h"
#include "models/flags/model_source.h"
#include "tests/support/draw.h"
#include "tests/support/fake_encoder.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

void make_collection(const std::filesystem::path& path, const std::filesystem::path& pictures,
                     Encoder& encoder) {
  std::filesystem::create_directories(pictures);
  for (const uint32_t seed : {1u, 2u})
    write_file_atomically(pictures / (std::to_string(seed) + ".png"),
                          testing::png_bytes(testing::shapes_image(40, 40, seed)));
  Manifest manifest;
  manifest.model_name = encoder.info().name;
  manifest.model_fingerprint = encoder.info().fingerprint;
  manifest.dimension = encoder.info().dimension;
  CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
  SyncObserver silent;
  const std::atomic<bool> stop = false;
  sync(
      writer, {pictures}, {}, [&]() -> Encoder& { return encoder; }, silent, stop);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_collection_is_labelled_and_searched_through_the_library_alone) {
  const testing::TemporaryDirectory directory;
  testing::FakeEncoder encoder;
  make_collection(directory / "shelf", directory / "pictures", encoder);

  // [example]
  const View collection = View::open(directory / "shelf");
  LoadedEncoder encoders(encoder);

  LabellingRequest request;
  request.labels = parse_label_list("cat, dog", {"a photo of a {}"});
  const Labelling labelling = make_labelling(collection, request, encoders);
  const PictureCounts counts = count_pictures(collection, labelling);

  const MadeQuery made =
      make_query(collection, {parse_term("a red square", 1)}, SearchSpace::Both, encoders);
  const std::vector<SearchHit> hits = search(collection, made.query, {});
  // [/example]

  BOOST_TEST(counts.pictures() == 2u);
  BOOST_TEST(hits.size() == 2u);
}

}  // namespace zeroshelf
