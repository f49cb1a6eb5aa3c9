// Vectors that go out and come in again, and vectors that others made.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "lib/collection/collection.h"
#include "lib/collection/view.h"
#include "lib/files/npy.h"
#include "lib/files/npy_reader.h"
#include "lib/fusion/fusion.h"
#include "lib/util/file.h"
#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ProgramResult;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

void require_done(const ProgramResult& result) {
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
}

void check_refused(const ProgramResult& result, const std::string& message) {
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(result.err.find(message) != std::string::npos, result.err);
}

std::string content(const fs::path& path) {
  return read_file(path, 1 << 24);
}

void write_npy(const fs::path& path, const Matrix& rows) {
  fs::remove(path);  // of an earlier try
  NpyWriter writer(path, rows.columns());
  writer.append(rows);
  writer.finish();
}

// Plain pixmaps, one with a name that is not UTF-8.
struct Folder {
  Folder() {
    for (int i = 0; i < 9; ++i) {
      std::string file = "P6\n24 16\n255\n";
      std::mt19937 random(static_cast<unsigned>(i));
      for (int j = 0; j < 24 * 16 * 3; ++j)
        file += static_cast<char>((i * 29 + j % 3 * 40) % 200 + static_cast<int>(random() % 50));
      const fs::path path = pictures / (i == 4 ? "bad\xff.ppm" : "p" + std::to_string(i) + ".ppm");
      testing::write_file(path, file);
      names.push_back(path.filename().string());
    }
  }

  std::string at(const std::string& name) const { return (directory / name).string(); }

  // Random unit vectors and the list of the pictures.
  Matrix some_vectors(uint32_t columns) const {
    Matrix rows(names.size(), columns);
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < rows.rows(); ++i) {
      for (float& value : rows.row(i)) value = normal(random);
      normalise(rows.row(i));
    }
    return rows;
  }
  void write_list() const {
    std::string list;
    for (const std::string& name : names) list += "pictures/" + name + "\n";
    testing::write_file(directory / "list", list);
  }
  ProgramResult import(const Matrix& rows, std::vector<std::string> more = {}) const {
    write_npy(directory / "rows.npy", rows);
    write_list();
    std::vector<std::string> arguments = {"import",       at("shelf"), "--npy",
                                          at("rows.npy"), "--paths",   at("list")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return zeroshelf_index(arguments);
  }

  testing::TemporaryDirectory directory;
  fs::path pictures = directory / "pictures";
  std::vector<std::string> names;
};

boost::test_tools::assertion_result has_shared_data(boost::unit_test::test_unit_id /*unit*/) {
  return !testing::shared_directory().empty();
}

BOOST_FIXTURE_TEST_SUITE(imports, Folder)

BOOST_AUTO_TEST_CASE(what_goes_out_comes_in_again_with_the_same_answers) {
  const std::string model = bundled_model().string();
  require_done(
      zeroshelf_index({"add", at("first"), pictures.string(), "--no-ocr", "--model", model}));
  // A picture with words and a text vector, which need no OCR here.
  {
    CollectionWriter writer = CollectionWriter::open_existing(at("first"));
    const Row row = *writer.find_path((pictures / "p3.ppm").string());
    NewPicture picture;
    picture.record = writer.record(row);
    picture.words = {{"two", 0.5f, {1, 2, 3, 4}}, {"words\"", 0.75f, {5, 6, 7, 8}}};
    picture.record.word_count = 2;
    picture.record.text_confidence = mean_confidence(picture.words);
    picture.image_vector.resize(writer.manifest().dimension);
    from_fp16(writer.image_vectors().row(row), picture.image_vector);
    picture.text_vector.assign(picture.image_vector.size(), 0);
    picture.text_vector[1] = 0.6f;
    picture.text_vector[2] = -0.8f;
    Batch batch;
    batch.added.push_back(picture);
    writer.commit(batch);
  }
  require_done(zeroshelf_query({"vectors", at("first"), "--npy", at("i.npy"), "--text-npy",
                                at("t.npy"), "--metadata", at("m.jsonl"), "--paths0", at("p0")}));
  check_refused(zeroshelf_query({"vectors", at("first"), "--npy", at("i.npy")}), "exists already");
  require_done(zeroshelf_index({"import", at("second"), "--npy", at("i.npy"), "--text-npy",
                                at("t.npy"), "--metadata", at("m.jsonl"), "--model", model}));

  const auto answers = [&](const std::string& shelf, const std::string& command,
                           std::vector<std::string> more) {
    std::vector<std::string> arguments = {command, at(shelf)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult said = zeroshelf_query(arguments);
    require_done(said);
    return said.out;
  };
  for (const char* rule : {"max", "mix", "image", "text"}) {
    const std::vector<std::string> flags = {"--labels", "red, green, blue", "--format",
                                            "jsonl",    "--fusion",         rule};
    BOOST_TEST(answers("first", "classify", flags) == answers("second", "classify", flags));
  }
  const std::vector<std::string> picture = {"--image", (pictures / "p5.ppm").string(), "--format",
                                            "jsonl"};
  BOOST_TEST(answers("first", "search", picture) == answers("second", "search", picture));
  BOOST_TEST(zeroshelf_index({"verify", at("second")}).exit_code == 0);

  // And the next ones are the same files again.
  require_done(zeroshelf_query({"vectors", at("second"), "--npy", at("i2.npy"), "--text-npy",
                                at("t2.npy"), "--metadata", at("m2.jsonl")}));
  BOOST_TEST(content(directory / "i.npy") == content(directory / "i2.npy"));
  BOOST_TEST(content(directory / "t.npy") == content(directory / "t2.npy"));
  BOOST_TEST(content(directory / "m.jsonl") == content(directory / "m2.jsonl"));

  // With its model known, the collection takes new pictures.
  testing::write_file(pictures / "new.ppm", "P6\n1 1\n255\nabc");
  const ProgramResult added =
      zeroshelf_index({"add", at("second"), pictures.string(), "--no-ocr", "--json"});
  require_done(added);
  BOOST_TEST(testing::json_lines(added.out).back()["added"] == 1);
  BOOST_TEST(testing::json_lines(added.out).back()["unchanged"] == 9);
}

BOOST_AUTO_TEST_CASE(vectors_of_another_model_are_found_out_by_encoding_some_pictures) {
  const uint32_t dimension = 64;
  const ProgramResult embedded =
      zeroshelf_query({"embed", "--model", bundled_model().string(), "--text", "x"});
  const size_t real = testing::json_lines(embedded.out).at(0)["embedding"].size();
  const ProgramResult refused =
      import(some_vectors(static_cast<uint32_t>(real)), {"--model", bundled_model().string()});
  check_refused(refused, "its vector is not what");
  BOOST_TEST(!fs::exists(directory / "shelf"));
  if (real != dimension) {
    check_refused(import(some_vectors(dimension), {"--model", bundled_model().string()}),
                  "dimensions");
  }
}

BOOST_AUTO_TEST_CASE(without_a_model_a_query_must_name_one_of_its_dimension) {
  const ProgramResult embedded =
      zeroshelf_query({"embed", "--model", bundled_model().string(), "--text", "x"});
  const auto real =
      static_cast<uint32_t>(testing::json_lines(embedded.out).at(0)["embedding"].size());
  const ProgramResult imported = import(some_vectors(real));
  require_done(imported);
  BOOST_TEST(imported.err.find("model is not known") != std::string::npos);
  check_refused(zeroshelf_query({"classify", at("shelf"), "--labels", "a, b"}), "--model");
  require_done(zeroshelf_query(
      {"classify", at("shelf"), "--labels", "a, b", "--model", bundled_model().string()}));
  check_refused(zeroshelf_index({"add", at("shelf"), pictures.string(), "--no-ocr"}),
                "imported without its model");
}

BOOST_AUTO_TEST_CASE(lengths_are_made_one_and_rows_that_cannot_be_are_named) {
  Matrix rows = some_vectors(16);
  for (float& value : rows.row(2)) value *= 17;
  const ProgramResult scaled = import(rows);
  require_done(scaled);
  BOOST_TEST(scaled.err.find("1 vectors had another length than 1") != std::string::npos);
  BOOST_TEST(zeroshelf_index({"verify", at("shelf")}).exit_code == 0);
  fs::remove_all(directory / "shelf");

  rows.row(7)[3] = std::numeric_limits<float>::quiet_NaN();
  check_refused(import(rows),
                "row 7 (" + pictures.string() + "/p7.ppm): a value that is no finite");
  rows.row(7)[3] = std::numeric_limits<float>::infinity();
  check_refused(import(rows), "row 7");
  std::fill_n(rows.row(7).data(), 16, 0.0f);
  check_refused(import(rows), "length zero");
  BOOST_TEST(!fs::exists(directory / "shelf"));
  BOOST_TEST(!fs::exists(directory / "shelf.importing"));
}

BOOST_AUTO_TEST_CASE(rows_and_paths_that_do_not_fit_are_refused) {
  check_refused(import(Matrix(8, 16)), "8 picture vectors for 9 paths");
  fs::remove(pictures / "p6.ppm");
  check_refused(import(some_vectors(16)), "p6.ppm: no such file (row 7 of the list)");
  require_done(import(some_vectors(16), {"--allow-missing"}));
  check_refused(import(some_vectors(16), {"--allow-missing"}), "it exists already");
  names[1] = names[0];
  fs::remove_all(directory / "shelf");
  check_refused(import(some_vectors(16), {"--allow-missing"}), "in the list of paths twice");
  check_refused(
      zeroshelf_index({"import", at("shelf"), "--npy", at("list"), "--paths", at("list")}),
      "not a NumPy array file");
  testing::write_file(directory / "damaged.jsonl", "{\"path\": 7}\n");
  check_refused(zeroshelf_index({"import", at("shelf"), "--npy", at("rows.npy"), "--metadata",
                                 at("damaged.jsonl")}),
                "damaged.jsonl:1");
}

// Cut at the NUL, such a path would give a row to another picture.
BOOST_AUTO_TEST_CASE(a_list_with_a_path_that_no_file_can_have_is_refused) {
  write_npy(directory / "one.npy", Matrix(1, 16));
  for (const char* line : {R"({"path": "p0.ppm\u0000.png"})", R"({"path": ""})",
                           R"({"path": "p0.ppm", "path_base64": "cDAucHBtAA=="})",
                           R"({"path": "p0.ppm", "path_base64": ""})"}) {
    testing::write_file(directory / "odd.jsonl", line);
    check_refused(zeroshelf_index({"import", at("shelf"), "--npy", at("one.npy"), "--metadata",
                                   at("odd.jsonl"), "--root", pictures.string()}),
                  "odd.jsonl:1: damaged: no usable \"path");
  }
}

BOOST_AUTO_TEST_CASE(the_folder_of_clip_retrieval_is_read_in_the_order_of_its_numbers) {
  const Matrix rows = some_vectors(16);
  // Parts 0 to 8, and 10 comes after 9.
  fs::create_directories(directory / "out" / "img_emb");
  for (size_t i = 0; i < rows.rows(); ++i) {
    Matrix one(1, 16);
    std::copy_n(rows.row(i).data(), 16, one.data());
    write_npy(directory / "out" / "img_emb" /
                  ("img_emb_" + std::to_string(i < 8 ? i + 2 : 10 + i) + ".npy"),
              one);
  }
  write_list();
  check_refused(zeroshelf_index({"import", at("shelf"), "--clip-retrieval", at("out")}), "Parquet");
  require_done(zeroshelf_index(
      {"import", at("shelf"), "--clip-retrieval", at("out"), "--paths", at("list")}));
  const Collection shelf = Collection::open(at("shelf"));
  for (size_t i = 0; i < rows.rows(); ++i) {
    const Row row = *shelf.find_path((pictures / names[i]).string());
    std::vector<float> vector(16);
    from_fp16(shelf.image_vectors().row(row), vector);
    for (size_t j = 0; j < 16; ++j) BOOST_TEST(std::abs(vector[j] - rows.row(i)[j]) < 1e-3f);
    BOOST_TEST(shelf.record(row).width_px == 24u);
  }
}

BOOST_AUTO_TEST_CASE(true_vectors_of_photographs_make_a_collection,
                     *boost::unit_test::precondition(has_shared_data)) {
  const fs::path real = testing::shared_directory() / "real_clip";
  std::vector<std::string> photographs;
  for (const auto& entry : fs::directory_iterator(real / "images")) {
    if (entry.path().extension() == ".jpg")
      photographs.push_back(absolute_path(entry.path()).string());
  }
  std::ranges::sort(photographs);
  std::string list;
  for (const std::string& path : photographs) list += path + "\n";
  testing::write_file(directory / "photos", list);
  require_done(
      zeroshelf_index({"import", at("shelf"), "--npy", (real / "image_embeddings.npy").string(),
                       "--paths", at("photos")}));
  const Collection shelf = Collection::open(at("shelf"));
  BOOST_TEST(shelf.counts().pictures == photographs.size());
  const Matrix wanted = NpyReader(real / "image_embeddings.npy").matrix();
  for (size_t i = 0; i < photographs.size(); ++i) {
    const Row row = *shelf.find_path(photographs[i]);
    std::vector<float> vector(512);
    from_fp16(shelf.image_vectors().row(row), vector);
    double cosine = 0;
    double square = 0;
    double stored = 0;
    for (size_t j = 0; j < 512; ++j) {
      cosine += static_cast<double>(vector[j]) * wanted.row(i)[j];
      stored += static_cast<double>(vector[j]) * vector[j];
      square += static_cast<double>(wanted.row(i)[j]) * wanted.row(i)[j];
    }
    BOOST_TEST(cosine / std::sqrt(square * stored) > 0.99999);
  }
}

// Every picture looks a little more like the first label, and its text is the second one's.
BOOST_AUTO_TEST_CASE(a_text_that_was_given_as_a_vector_alone_counts_as_much_as_a_sure_one) {
  Matrix labels(2, 24);
  labels.row(0)[0] = 1;
  labels.row(1)[1] = 1;
  Matrix rows(names.size(), 24);
  Matrix texts(names.size(), 24);
  for (size_t i = 0; i < names.size(); ++i) {
    rows.row(i)[0] = 0.25f;
    rows.row(i)[1] = 0.245f;
    rows.row(i)[2 + i % 20] = 0.93f;
    texts.row(i)[1] = 0.9f;
    texts.row(i)[2 + i % 20] = 0.43f;
  }
  write_npy(directory / "labels.npy", labels);
  write_npy(directory / "texts.npy", texts);
  require_done(import(rows, {"--text-npy", at("texts.npy")}));
  const View view = View::open(at("shelf"));
  for (const TextEvidence& text : view.parts().front().collection.text_evidence())
    BOOST_TEST(is_given(text));
  for (const auto& [rule, wanted] : {std::pair("image", "a"), std::pair("mix", "b")}) {
    const ProgramResult said =
        zeroshelf_query({"classify", at("shelf"), "--labels", "a, b", "--label-vectors",
                         at("labels.npy"), "--format", "jsonl", "--fusion", rule});
    require_done(said);
    for (const auto& line : testing::json_lines(said.out)) BOOST_TEST(line["label"] == wanted);
  }
}

BOOST_AUTO_TEST_CASE(vectors_of_labels_stand_in_for_a_model_that_is_not_here) {
  const Matrix rows = some_vectors(24);
  require_done(import(rows));
  // The labels' vectors are those of three pictures, of other lengths.
  Matrix labels(3, 24);
  for (size_t k = 0; k < 3; ++k) {
    for (size_t i = 0; i < 24; ++i)
      labels.row(k)[i] = rows.row(2 * k)[i] * static_cast<float>(k + 1);
  }
  write_npy(directory / "labels.npy", labels);
  const auto classify = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"classify", at("shelf"), "--format", "jsonl", "--fusion", "image"});
    return zeroshelf_query(more);
  };
  testing::write_file(directory / "names", "first\nsecond\nthird\n");
  const ProgramResult said =
      classify({"--labels-file", at("names"), "--label-vectors", at("labels.npy")});
  require_done(said);
  const auto lines = testing::json_lines(said.out);
  BOOST_REQUIRE_EQUAL(lines.size(), names.size());
  const char* wanted[] = {"first", "second", "third"};
  for (size_t i = 0; i < lines.size(); ++i) {
    // By the definition.
    size_t best = 0;
    double most = -2;
    for (size_t k = 0; k < 3; ++k) {
      double cosine = 0;
      for (size_t j = 0; j < 24; ++j) cosine += rows.row(i)[j] * rows.row(2 * k)[j];
      if (cosine > most) {
        most = cosine;
        best = k;
      }
    }
    const auto place = std::ranges::count_if(names, [&](const auto& it) { return it < names[i]; });
    BOOST_TEST(lines[static_cast<size_t>(place)]["label"] == wanted[best]);  // in order of paths
  }
  // Export takes them too.
  require_done(zeroshelf_query({"export", at("shelf"), "--labels", "a, b, c", "--label-vectors",
                                at("labels.npy"), "--to", at("out.csv"), "--format", "csv"}));

  const std::vector<std::string> vectors = {"--label-vectors", at("labels.npy")};
  const auto refused = [&](std::vector<std::string> more, const std::string& message) {
    more.insert(more.end(), vectors.begin(), vectors.end());
    check_refused(classify(more), message);
  };
  refused({"--labels", "a, b"}, "3 rows for 2 labels");
  refused({"--labels", "a, b, c", "--none"}, "no prompts");
  refused({"--labels", "a, b, c", "--template", "a {}"}, "--template");
  refused({"--classifier", "x"}, "--classifier");
  Matrix bad = labels;
  bad.row(1)[3] = std::numeric_limits<float>::quiet_NaN();
  write_npy(directory / "bad.npy", bad);
  check_refused(classify({"--labels", "a, b, c", "--label-vectors", at("bad.npy")}),
                "row 1 (label 'b') has no direction");
  write_npy(directory / "long.npy", some_vectors(25));
  check_refused(
      classify({"--labels", "1, 2, 3, 4, 5, 6, 7, 8, 9", "--label-vectors", at("long.npy")}),
      "rows of 25 values; the collection's vectors have 24");
  check_refused(classify({"--labels", "a, b, c", "--label-vectors", at("absent.npy")}),
                "absent.npy");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
