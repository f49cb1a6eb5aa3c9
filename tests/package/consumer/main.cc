// How many pictures of a collection have which label: counts COLLECTION LABEL,LABEL,...
#include <exception>
#include <iostream>

#include "lib/collection/view.h"
#include "lib/encoder/encoder_source.h"
#include "lib/labelling/labelling.h"
#include "lib/labels/labels.h"
#include "models/clip/load.h"

int main(int argc, char** argv) try {
  using namespace zeroshelf;
  if (argc != 3) return 2;
  const View collection = View::open(argv[1]);
  const auto encoder = load_encoder(bundled_model(), {});
  LoadedEncoder encoders(*encoder);
  LabellingRequest request;
  request.labels = parse_label_list(argv[2], {"{}"});
  const Labelling labelling = make_labelling(collection, request, encoders);
  const PictureCounts counts = count_pictures(collection, labelling);
  for (size_t i = 0; i < request.labels.size(); ++i)
    std::cout << request.labels[i].name << " " << counts.of_label[i] << "\n";
} catch (const std::exception& error) {
  std::cerr << "counts: " << error.what() << "\n";
  return 2;
}
